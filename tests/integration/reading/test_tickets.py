"""Tickets and places: what is sold again is another ticket of the same place."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from devservices.local_stripe import LocalStripe
from devservices.valkey import Valkey
from tests.apis import Api, api_on, deliver_outbox, new_token, settings_on
from tests.integration.ordering.conftest import stripe_server
from tests.integration.reading.events import publish_event

__all__ = ["stripe_server"]

PLACES = """
query ($id: ID!, $order: ID!) {
  event(id: $id) { places(first: 2) { totalCount edges { node { id status price { amount } } } } }
  order(id: $order) {
    status
    tickets { id placeId status price { amount } fee { amount } order { id } event { id } }
  }
}
"""
TICKETS = "tickets { id placeId status price { amount } fee { amount } }"


@pytest.fixture(scope="module")
def urls(module_postgres_url: str, redis_server: Valkey) -> tuple[str, str]:
    return module_postgres_url, redis_server.url()


@pytest.fixture(scope="module")
async def api(urls: tuple[str, str], stripe_server: LocalStripe) -> AsyncIterator[Api]:
    async with api_on(*urls, stripe_api_base=stripe_server.url()) as api:
        yield api


@pytest.fixture
def organiser() -> str:
    return new_token("organise")


@pytest.fixture
async def event_id(api: Api, organiser: str) -> str:
    return await publish_event(api, organiser, orphanRule=False)


async def hold(api: Api, event_id: str, token: str, *indexes: int) -> dict[str, Any]:
    """An order for these seats."""
    letters = event_id.removeprefix("evt_")
    given = {"eventId": event_id, "selection": {"seatIds": [f"seat_{letters}_{index}" for index in indexes]}}
    answer = await api.mutate(
        "reserve", given, token, f"... on ReserveSuccess {{ order {{ id {TICKETS} }} }}"
    )
    order: dict[str, Any] = answer["order"]
    return order


async def pay(api: Api, order_id: str, token: str) -> None:
    paid = await api.mutate("pay", {"orderId": order_id, "paymentMethodId": "pm_card_visa"}, token)
    assert paid["__typename"] == "PaySuccess"


async def node(api: Api, node_id: str, token: str) -> Any:
    query = f'{{ node(id: "{node_id}") {{ id ... on Ticket {{ status order {{ id status }} }} }} }}'
    return (await api.ask(query, token=token)).data["node"]


async def test_place_sold_again_gets_a_new_ticket_when_the_first_was_refunded(
    api: Api, event_id: str, organiser: str, urls: tuple[str, str], stripe_server: LocalStripe
) -> None:
    ann, bob = new_token(), new_token()
    first = await hold(api, event_id, ann, 0)
    await pay(api, first["id"], ann)
    await api.mutate("refundOrder", {"orderId": first["id"]}, organiser)
    await deliver_outbox(settings_on(*urls, stripe_api_base=stripe_server.url()))

    second = await hold(api, event_id, bob, 0)

    old, new = first["tickets"][0], second["tickets"][0]
    assert old["placeId"] == new["placeId"]
    assert old["id"] != new["id"]
    seen = (await api.ask(PLACES, {"id": event_id, "order": first["id"]}, ann)).data
    assert seen["order"] == {
        "status": "REFUNDED",
        "tickets": [
            {
                "id": old["id"],
                "placeId": new["placeId"],
                "status": "REFUNDED",
                "price": old["price"],
                "fee": old["fee"],
                "order": {"id": first["id"]},
                "event": {"id": event_id},
            }
        ],
    }
    assert await node(api, new["id"], bob) == {
        "id": new["id"],
        "status": "HELD",
        "order": {"id": second["id"], "status": "RESERVED"},
    }


async def test_places_have_ids_of_their_own_and_name_nobody(api: Api, event_id: str) -> None:
    ann = new_token()
    order = await hold(api, event_id, ann, 0)
    ticket = order["tickets"][0]

    seen = (await api.ask(PLACES, {"id": event_id, "order": order["id"]}, ann)).data
    place = (
        await api.ask(f'{{ node(id: "{ticket["placeId"]}") {{ __typename ... on Place {{ status }} }} }}')
    ).data["node"]

    found = [edge["node"] for edge in seen["event"]["places"]["edges"]]
    assert seen["event"]["places"]["totalCount"] == 42
    assert [(each["id"], each["status"]) for each in found] == [
        (ticket["placeId"], "HELD"),
        (ticket["placeId"].removesuffix("_0") + "_1", "AVAILABLE"),
    ]
    assert place == {"__typename": "Place", "status": "HELD"}


async def test_tickets_are_void_at_their_price_when_the_order_was_given_back(api: Api, event_id: str) -> None:
    ann = new_token()
    order = await hold(api, event_id, ann, 0, 1)
    given = {"orderId": order["id"]}

    released = await api.mutate(
        "releaseOrder", given, ann, f"... on ReleaseOrderSuccess {{ order {{ {TICKETS} }} }}"
    )

    assert released["order"]["tickets"] == [{**ticket, "status": "VOID"} for ticket in order["tickets"]]
    assert [ticket["price"]["amount"] > 0 for ticket in order["tickets"]] == [True, True]


async def test_order_and_ticket_are_read_by_their_buyer_and_the_events_organiser_alone(
    api: Api, event_id: str, organiser: str
) -> None:
    ann = new_token("buy")
    order = await hold(api, event_id, ann, 0)
    ticket_id = order["tickets"][0]["id"]

    for token in (ann, organiser):
        assert (await node(api, ticket_id, token))["order"]["id"] == order["id"]
        assert await node(api, order["id"], token) == {"id": order["id"]}
    for token in (new_token("buy"), new_token("organise"), ""):
        assert await node(api, ticket_id, token) is None
        assert await node(api, order["id"], token) is None
    assert await node(api, f"tkt_{'0' * 26}", ann) is None
