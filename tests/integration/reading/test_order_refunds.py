"""What an order says of its money: its lines, its refunds and their tickets, its buyer, its times."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from devservices.local_stripe import LocalStripe
from devservices.valkey import Valkey
from tests.apis import Api, api_on, deliver_outbox, new_token, settings_on, token_of
from tests.integration.ordering.conftest import stripe_server
from tests.integration.reading.events import publish_event

__all__ = ["stripe_server"]

ORDER = """
  id status channel createdAt updatedAt bookedAt
  buyer { name email } total { amount } refunded { amount currency }
  lines { kind name amount { amount } }
  refunds { id amount { amount } status reason createdAt tickets { id status } }
  tickets { id status }
"""


@pytest.fixture(scope="module")
def installation(
    module_postgres_url: str, redis_server: Valkey, stripe_server: LocalStripe
) -> tuple[tuple[str, str], dict[str, str]]:
    return (module_postgres_url, redis_server.url()), {"stripe_api_base": stripe_server.url()}


@pytest.fixture(scope="module")
async def api(installation: tuple[tuple[str, str], dict[str, str]]) -> AsyncIterator[Api]:
    urls, changes = installation
    async with api_on(*urls, **changes) as api:
        yield api


@pytest.fixture
def organiser() -> str:
    return new_token("organise")


async def booked(api: Api, organiser: str, token: str) -> dict[str, Any]:
    """An order of two seats and two places on the floor, paid."""
    event_id = await publish_event(api, organiser, orphanRule=False)
    letters = event_id.removeprefix("evt_")
    given = {"eventId": event_id, "selection": {"seatIds": [f"seat_{letters}_0", f"seat_{letters}_1"]}}
    held = await api.mutate("reserve", given, token, f"... on ReserveSuccess {{ order {{ {ORDER} }} }}")
    assert held["order"]["bookedAt"] is None
    assert held["order"]["updatedAt"] == held["order"]["createdAt"]
    pay = {"orderId": held["order"]["id"], "paymentMethodId": "pm_card_visa"}
    paid = await api.mutate("pay", pay, token, f"... on PaySuccess {{ order {{ {ORDER} }} }}")
    order: dict[str, Any] = paid["order"]
    return order


async def read(api: Api, order_id: str, token: str) -> dict[str, Any]:
    answer = await api.ask(f'{{ order(id: "{order_id}") {{ {ORDER} }} }}', token=token)
    order: dict[str, Any] = answer.data["order"]
    return order


async def test_booked_order_says_who_bought_what_and_when(api: Api, organiser: str) -> None:
    token = token_of("bea", "buy")

    order = await booked(api, organiser, token)

    assert order["buyer"] == {"name": "bea", "email": "bea@example.org"}
    assert order["channel"] == "WEB"
    assert order["createdAt"] < order["bookedAt"] <= order["updatedAt"]
    assert order["lines"] == [
        {"kind": "TICKET", "name": "Stalls", "amount": {"amount": 18_000}},
        {"kind": "FEE", "name": "Fees", "amount": {"amount": 700}},
    ]
    assert sum(line["amount"]["amount"] for line in order["lines"]) == order["total"]["amount"]
    assert (order["refunds"], order["refunded"]) == ([], {"amount": 0, "currency": "USD"})
    assert await read(api, order["id"], organiser) == await read(api, order["id"], token)


async def test_each_refund_names_its_tickets_when_an_order_is_refunded_in_parts(
    api: Api, organiser: str, installation: tuple[tuple[str, str], dict[str, str]]
) -> None:
    token = new_token()
    order = await booked(api, organiser, token)
    first, second = (ticket["id"] for ticket in order["tickets"])
    given = {"orderId": order["id"], "ticketIds": [second], "reason": "ill"}

    part = await api.mutate(
        "refundOrder", given, organiser, f"... on RefundOrderSuccess {{ order {{ {ORDER} }} }}"
    )
    urls, changes = installation
    await deliver_outbox(settings_on(*urls, **changes))
    await api.mutate("refundOrder", {"orderId": order["id"]}, organiser)

    [decided] = part["order"]["refunds"]
    assert (decided["status"], decided["reason"], decided["amount"]) == ("PENDING", "ill", {"amount": 9_350})
    assert decided["tickets"] == [{"id": second, "status": "REFUNDED"}]
    assert part["order"]["status"] == "BOOKED"
    assert part["order"]["refunded"] == {"amount": 9_350, "currency": "USD"}
    assert part["order"]["lines"] == order["lines"]
    whole = await read(api, order["id"], token)
    assert [(refund["status"], refund["tickets"]) for refund in whole["refunds"]] == [
        ("SUCCEEDED", [{"id": second, "status": "REFUNDED"}]),
        ("PENDING", [{"id": first, "status": "REFUNDED"}]),
    ]
    assert whole["refunds"][0]["id"] == decided["id"]
    assert whole["refunded"]["amount"] == whole["total"]["amount"]
    assert whole["bookedAt"] == order["bookedAt"]
    assert order["updatedAt"] < part["order"]["updatedAt"] < whole["updatedAt"]
