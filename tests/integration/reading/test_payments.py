"""What an order says of its payment: the next step to its buyer, disputes to its organiser."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from devservices.local_stripe import LocalStripe
from devservices.valkey import Valkey
from tests.apis import Api, api_on, deliver_outbox, new_token, settings_on, stripe_webhook
from tests.integration.ordering.conftest import stripe_server
from tests.integration.reading.events import publish_event
from tests.local_stripe import Control

__all__ = ["stripe_server"]

PUBLIC_URL = "https://tickets.example.com/hall"
STEP = "id status payment { status nextStep { clientSecret redirectUrl } }"
DISPUTED = "id status dispute { gatewayId status amount { amount currency } reason respondBy createdAt }"
REFUNDED = """
  status refunded { amount } refunds { amount { amount } status reason tickets { id } } tickets { status }
"""
Installation = tuple[tuple[str, str], dict[str, str]]


@pytest.fixture(scope="module")
def installation(module_postgres_url: str, redis_server: Valkey, stripe_server: LocalStripe) -> Installation:
    changes = {"stripe_api_base": stripe_server.url(), "public_url": PUBLIC_URL, "host": "0.0.0.0"}
    return (module_postgres_url, redis_server.url()), changes


@pytest.fixture(scope="module")
async def api(installation: Installation) -> AsyncIterator[Api]:
    urls, changes = installation
    async with api_on(*urls, **changes) as api:
        yield api


@pytest.fixture
async def control(stripe_server: LocalStripe) -> AsyncIterator[Control]:
    control = Control(stripe_server.url())
    yield control
    await control.client.aclose()


@pytest.fixture
def organiser() -> str:
    return new_token("organise")


async def held(api: Api, organiser: str, token: str, **event: Any) -> str:
    event_id = await publish_event(api, organiser, orphanRule=False, **event)
    selection = {"bestAvailable": {"quantity": 2}}
    answer = await api.mutate(
        "reserve",
        {"eventId": event_id, "selection": selection},
        token,
        "... on ReserveSuccess { order { id } }",
    )
    order_id: str = answer["order"]["id"]
    return order_id


async def pay(api: Api, order_id: str, token: str, card: str | None) -> dict[str, Any]:
    given = {"orderId": order_id} | ({"paymentMethodId": card} if card else {})
    return await api.mutate("pay", given, token, f"... on PaySuccess {{ clientSecret order {{ {STEP} }} }}")


async def read(api: Api, order_id: str, token: str, fields: str) -> dict[str, Any]:
    answer = await api.ask(f'{{ order(id: "{order_id}") {{ {fields} }} }}', token=token)
    order: dict[str, Any] = answer.data["order"]
    return order


async def intent_of(control: Control, secret: str) -> dict[str, Any]:
    return await control.ledger_row(secret.partition("_secret_")[0])


async def test_buyer_finds_the_banks_page_again_after_a_reload(
    api: Api, organiser: str, control: Control
) -> None:
    token = new_token()
    order_id = await held(api, organiser, token)
    started = await pay(api, order_id, token, "pm_card_threeDSecure2Required")

    again = await read(api, order_id, token, STEP)

    step = again["payment"]["nextStep"]
    assert (again["status"], again["payment"]["status"]) == ("PAYING", "REQUIRES_ACTION")
    assert step == started["order"]["payment"]["nextStep"]
    assert step["clientSecret"] == started["clientSecret"]
    assert step["redirectUrl"].startswith(str(control.client.base_url))
    assert (await read(api, order_id, organiser, STEP))["payment"] == {
        "status": "REQUIRES_ACTION",
        "nextStep": None,
    }


async def test_bank_sends_the_buyer_to_the_public_address(api: Api, organiser: str, control: Control) -> None:
    token = new_token()
    order_id = await held(api, organiser, token)
    await pay(api, order_id, token, "pm_card_threeDSecure2Required")
    step = (await read(api, order_id, token, STEP))["payment"]["nextStep"]

    left = await control.client.post(step["redirectUrl"], data={"outcome": "complete"})

    assert left.status_code == 303
    assert left.headers["location"].startswith(f"{PUBLIC_URL}/orders/{order_id}?payment_intent=pi_")


async def test_no_step_is_left_when_the_buyer_has_paid_or_the_order_has_ended(
    api: Api, organiser: str, control: Control
) -> None:
    token = new_token()
    order_id = await held(api, organiser, token)
    paid = await pay(api, order_id, token, "pm_card_visa")
    released = await held(api, organiser, token)
    await pay(api, released, token, None)
    assert (await read(api, released, token, STEP))["payment"]["nextStep"]["redirectUrl"] is None
    await api.mutate("releaseOrder", {"orderId": released}, token)

    assert paid["order"]["status"] == "BOOKED"
    assert (paid["clientSecret"], paid["order"]["payment"]["nextStep"]) == (None, None)
    assert (await read(api, order_id, token, STEP))["payment"]["nextStep"] is None
    assert (await read(api, released, token, STEP))["payment"]["nextStep"] is None


async def test_another_card_is_given_with_the_same_secret_after_a_decline(api: Api, organiser: str) -> None:
    token = new_token()
    order_id = await held(api, organiser, token)
    declined = await pay(api, order_id, token, "pm_card_chargeDeclined")

    step = (await read(api, order_id, token, STEP))["payment"]["nextStep"]

    assert declined["code"] == "PAYMENT_DECLINED"
    assert step["redirectUrl"] is None
    assert step["clientSecret"] == (await pay(api, order_id, token, None))["clientSecret"]


async def test_there_is_no_secret_when_an_order_is_free(api: Api, organiser: str) -> None:
    token = new_token()
    free = {"amount": 0, "currency": "USD"}
    order_id = await held(
        api,
        organiser,
        token,
        priceLevels=[{"category": "Stalls", "price": free}],
        generalAdmission=[{"name": "Floor", "capacity": 30, "price": free}],
    )

    paid = await pay(api, order_id, token, None)

    assert (paid["order"]["status"], paid["clientSecret"]) == ("BOOKED", None)


async def test_organiser_alone_sees_a_dispute_until_it_is_won(
    api: Api, organiser: str, control: Control, installation: Installation
) -> None:
    token = new_token()
    order_id = await held(api, organiser, token)
    started = await pay(api, order_id, token, None)
    intent = await intent_of(control, started["clientSecret"])
    await pay(api, order_id, token, "pm_card_visa")
    urls, changes = installation
    await deliver_outbox(settings_on(*urls, **changes))
    made = await control.dispute(intent["id"], reason="product_not_received")

    await stripe_webhook(api, "charge.dispute.created", intent["id"])

    seen = await read(api, order_id, organiser, DISPUTED)
    assert seen["status"] == "BOOKED"
    assert seen["dispute"] | {"respondBy": None, "createdAt": None} == {
        "gatewayId": made["id"],
        "status": "OPEN",
        "amount": {"amount": intent["amount"], "currency": "USD"},
        "reason": "product_not_received",
        "respondBy": None,
        "createdAt": None,
    }
    assert seen["dispute"]["respondBy"] > seen["dispute"]["createdAt"]
    assert (await read(api, order_id, token, DISPUTED))["dispute"] is None
    assert await disputed_orders(api, order_id, organiser) == ([order_id], [])
    await control.close_dispute(made["id"], "won")
    await stripe_webhook(api, "charge.dispute.closed", intent["id"])
    assert (await read(api, order_id, organiser, DISPUTED))["dispute"] is None
    assert await disputed_orders(api, order_id, organiser) == ([], [order_id])


async def disputed_orders(api: Api, order_id: str, organiser: str) -> tuple[list[str], list[str]]:
    """The orders of the order's event that are disputed, and those that are not."""
    event = await read(
        api,
        order_id,
        organiser,
        "event { yes: orders(disputed: true) { edges { node { id } } }"
        " no: orders(disputed: false) { edges { node { id } } } }",
    )
    found = [[edge["node"]["id"] for edge in event["event"][name]["edges"]] for name in ("yes", "no")]
    return found[0], found[1]


async def test_refund_by_hand_is_a_refund_of_the_order_without_tickets(
    api: Api, organiser: str, control: Control, installation: Installation
) -> None:
    token = new_token()
    order_id = await held(api, organiser, token)
    started = await pay(api, order_id, token, None)
    intent = await intent_of(control, started["clientSecret"])
    await pay(api, order_id, token, "pm_card_visa")
    urls, changes = installation
    await deliver_outbox(settings_on(*urls, **changes))
    await control.refund(intent["id"], 700, reason="requested_by_customer")

    await stripe_webhook(api, "charge.refunded", intent["id"])

    assert await read(api, order_id, token, REFUNDED) == {
        "status": "BOOKED",
        "refunded": {"amount": 700},
        "refunds": [
            {
                "amount": {"amount": 700},
                "status": "SUCCEEDED",
                "reason": "requested_by_customer",
                "tickets": [],
            }
        ],
        "tickets": [{"status": "ISSUED"}, {"status": "ISSUED"}],
    }
    await control.refund(intent["id"])
    await stripe_webhook(api, "charge.refunded", intent["id"])
    whole = await read(api, order_id, organiser, REFUNDED)
    assert (whole["status"], whole["refunded"]["amount"]) == ("REFUNDED", intent["amount"])
    assert [ticket["status"] for ticket in whole["tickets"]] == ["REFUNDED", "REFUNDED"]
    assert [len(refund["tickets"]) for refund in whole["refunds"]] == [0, 2]
