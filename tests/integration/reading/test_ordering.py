"""Buying through the API: what a client sends and gets."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from devservices.local_stripe import LocalStripe
from devservices.valkey import Valkey
from tests.apis import Api, api_on, new_token
from tests.integration.ordering.conftest import stripe_server
from tests.integration.reading.events import publish_event

__all__ = ["stripe_server"]

ORDER = """
  id reference status event { id } subtotal { amount currency } fees { amount } total { amount }
  createdAt expiresAt payment { id status amount { amount } failureCode }
  tickets { id status price { amount } fee { amount } seat { row number } section { name } }
"""
RESERVE = f"""
  ... on ReserveSuccess {{ order {{ {ORDER} }} }}
  ... on SeatsUnavailable {{ seatIds alternatives {{ id row number }} }}
"""


@pytest.fixture(scope="module")
async def api(
    module_postgres_url: str, redis_server: Valkey, stripe_server: LocalStripe
) -> AsyncIterator[Api]:
    async with api_on(module_postgres_url, redis_server.url(), stripe_api_base=stripe_server.url()) as api:
        yield api


@pytest.fixture
async def event_id(api: Api) -> str:
    return await publish_event(api, new_token("organise"), orphanRule=False)


def seats(event_id: str, *indexes: int) -> dict[str, Any]:
    letters = event_id.removeprefix("evt_")
    return {"seatIds": [f"seat_{letters}_{index}" for index in indexes]}


async def reserve(
    api: Api, event_id: str, selection: dict[str, Any], token: str, **more: str
) -> dict[str, Any]:
    return await api.mutate("reserve", {"eventId": event_id, "selection": selection} | more, token, RESERVE)


async def statuses(api: Api, event_id: str) -> str:
    query = "query ($id: ID!) { event(id: $id) { seatStatuses { statuses } } }"
    found: str = (await api.ask(query, {"id": event_id})).data["event"]["seatStatuses"]["statuses"]
    return found


async def test_an_order_has_everything_when_seats_are_held(api: Api, event_id: str) -> None:
    token = new_token()

    answer = await reserve(api, event_id, seats(event_id, 0, 1), token)

    order = answer["order"]
    assert order["status"] == "RESERVED"
    assert order["event"] == {"id": event_id}
    assert (order["subtotal"]["amount"], order["fees"]["amount"], order["total"]["amount"]) == (
        18000,
        700,
        18700,
    )
    assert [(ticket["status"], ticket["seat"]["number"]) for ticket in order["tickets"]] == [
        ("HELD", "1"),
        ("HELD", "2"),
    ]
    assert order["payment"] is None
    assert order["expiresAt"] > order["createdAt"]
    assert await statuses(api, event_id) == "HHAAAAAAAAAA"
    mine = await api.ask(f"query ($id: ID!) {{ order(id: $id) {{ {ORDER} }} }}", {"id": order["id"]}, token)
    assert mine.data["order"] == order


async def test_an_order_is_its_buyers_alone(api: Api, event_id: str) -> None:
    token = new_token()
    order = (await reserve(api, event_id, seats(event_id, 0), token))["order"]
    query = "query ($id: ID!) { order(id: $id) { id } node(id: $id) { id } }"

    for stranger in ("", new_token()):
        assert (await api.ask(query, {"id": order["id"]}, stranger)).data == {"order": None, "node": None}
    assert (await api.mutate("releaseOrder", {"orderId": order["id"]}, new_token()))["code"] == "NOT_FOUND"
    assert (await api.mutate("pay", {"orderId": order["id"]}, new_token()))["code"] == "NOT_FOUND"
    assert (await statuses(api, event_id))[0] == "H"


async def test_the_loser_is_shown_which_seats_are_gone_and_offered_others(api: Api, event_id: str) -> None:
    await reserve(api, event_id, seats(event_id, 0, 1), new_token())

    answer = await reserve(api, event_id, seats(event_id, 1, 2), new_token())

    assert (answer["__typename"], answer["code"]) == ("SeatsUnavailable", "SEATS_UNAVAILABLE")
    assert answer["seatIds"] == seats(event_id, 1)["seatIds"]
    assert len(answer["alternatives"]) == 2
    assert await statuses(api, event_id) == "HHAAAAAAAAAA"


async def test_best_seats_and_places_on_the_floor_are_held_by_number(api: Api, event_id: str) -> None:
    letters = event_id.removeprefix("evt_")

    best = await reserve(api, event_id, {"bestAvailable": {"quantity": 3}}, new_token())
    floor = await reserve(
        api, event_id, {"generalAdmission": {"sectionId": f"sec_{letters}_1", "quantity": 4}}, new_token()
    )

    assert len(best["order"]["tickets"]) == 3
    assert [ticket["section"]["name"] for ticket in floor["order"]["tickets"]] == ["Floor"] * 4
    assert all(ticket["seat"] is None for ticket in floor["order"]["tickets"])


async def test_the_same_key_answers_the_same_order(api: Api, event_id: str) -> None:
    token = new_token()

    first = await reserve(api, event_id, seats(event_id, 3), token, idempotencyKey="k-1")
    again = await reserve(api, event_id, seats(event_id, 3), token, idempotencyKey="k-1")
    other = await reserve(api, event_id, seats(event_id, 4), token, idempotencyKey="k-1")

    assert again["order"]["id"] == first["order"]["id"]
    assert other["code"] == "IDEMPOTENCY_MISMATCH"


async def test_released_seats_are_free_again(api: Api, event_id: str) -> None:
    token = new_token()
    order = (await reserve(api, event_id, seats(event_id, 0, 1), token))["order"]

    answer = await api.mutate(
        "releaseOrder",
        {"orderId": order["id"]},
        token,
        "... on ReleaseOrderSuccess { order { status expiresAt tickets { status } } }",
    )

    assert answer["order"] == {
        "status": "CANCELLED",
        "expiresAt": None,
        "tickets": [{"status": "VOID"}, {"status": "VOID"}],
    }
    assert await statuses(api, event_id) == "A" * 12


async def test_a_paid_order_is_booked_and_its_tickets_can_be_refunded(api: Api) -> None:
    organiser, token = new_token("organise"), new_token()
    event_id = await publish_event(api, organiser, orphanRule=False)
    order = (await reserve(api, event_id, seats(event_id, 0, 1), token))["order"]

    paid = await api.mutate(
        "pay",
        {"orderId": order["id"], "paymentMethodId": "pm_card_visa"},
        token,
        f"... on PaySuccess {{ clientSecret order {{ {ORDER} }} }}",
    )
    refused = await api.ask(
        "mutation ($id: ID!) { refundOrder(input: {orderId: $id}) { __typename } }",
        {"id": order["id"]},
        token,
    )
    elsewhere = await api.mutate(
        "refundOrder", {"orderId": order["id"], "ticketIds": ["tkt_01jd3x8k2m9q4r5s6t7v8w9x0y"]}, organiser
    )
    refunded = await api.mutate(
        "refundOrder",
        {"orderId": order["id"], "ticketIds": [order["tickets"][0]["id"]], "reason": "ill"},
        organiser,
        "... on RefundOrderSuccess { order { status tickets { status } } }",
    )

    assert paid["order"]["status"] == "BOOKED", paid
    assert paid["order"]["expiresAt"] is None
    assert [ticket["status"] for ticket in paid["order"]["tickets"]] == ["ISSUED", "ISSUED"]
    assert paid["order"]["payment"]["status"] in {"AUTHORIZED", "CAPTURED"}
    assert refused.code == "FORBIDDEN"
    assert elsewhere["code"] == "INVALID_INPUT"
    assert refunded["order"] == {
        "status": "BOOKED",
        "tickets": [{"status": "REFUNDED"}, {"status": "ISSUED"}],
    }


async def test_refunding_does_not_tell_whether_anothers_order_exists(api: Api, event_id: str) -> None:
    token = new_token()
    order = (await reserve(api, event_id, seats(event_id, 0), token))["order"]
    await api.mutate("pay", {"orderId": order["id"], "paymentMethodId": "pm_card_visa"}, token)
    nothing = {"orderId": f"ord_{'0' * 26}"}

    there = await api.mutate("refundOrder", {"orderId": order["id"]}, new_token("organise"))
    not_there = await api.mutate("refundOrder", nothing, new_token("organise"))

    assert there == not_there
    assert there["code"] == "NOT_FOUND"
    mine = await api.ask("query ($id: ID!) { order(id: $id) { status } }", {"id": order["id"]}, token)
    assert mine.data["order"] == {"status": "BOOKED"}


async def test_a_declined_card_is_a_refusal(api: Api, event_id: str) -> None:
    token = new_token()
    order = (await reserve(api, event_id, seats(event_id, 0), token))["order"]

    answer = await api.mutate(
        "pay", {"orderId": order["id"], "paymentMethodId": "pm_card_visa_chargeDeclined"}, token
    )

    assert answer["code"] == "PAYMENT_DECLINED"


async def test_my_orders_are_listed_newest_first_in_pages(api: Api, event_id: str) -> None:
    token = new_token()
    made = [(await reserve(api, event_id, seats(event_id, n), token))["order"]["id"] for n in (0, 2, 4)]
    query = """
    query ($after: String) {
      me {
        orders(first: 2, after: $after) {
          totalCount pageInfo { hasNextPage endCursor } edges { node { id } }
        }
      }
    }
    """

    first = (await api.ask(query, token=token)).data["me"]["orders"]
    second = (await api.ask(query, {"after": first["pageInfo"]["endCursor"]}, token)).data["me"]["orders"]

    seen = [edge["node"]["id"] for page in (first, second) for edge in page["edges"]]
    assert seen == made[::-1]
    assert (first["totalCount"], second["pageInfo"]["hasNextPage"]) == (3, False)


async def test_a_held_seat_cannot_be_blocked(api: Api) -> None:
    organiser = new_token("organise")
    event_id = await publish_event(api, organiser, orphanRule=False)
    await reserve(api, event_id, seats(event_id, 5), new_token())

    answer = await api.mutate(
        "blockSeats", {"eventId": event_id, "blocked": True} | seats(event_id, 4, 5), organiser
    )

    assert answer["code"] == "SEATS_UNAVAILABLE"
    assert await statuses(api, event_id) == "AAAAAHAAAAAA"


async def test_a_single_seat_left_over_is_refused_where_the_rule_is_on(api: Api) -> None:
    event_id = await publish_event(api, new_token("organise"))

    answer = await reserve(api, event_id, seats(event_id, 1), new_token())

    assert answer["code"] == "ORPHAN_SEAT"
    assert await statuses(api, event_id) == "A" * 12
