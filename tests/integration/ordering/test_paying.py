"""Paying: one deadline moved once, one capture, and money that always matches the order."""

import asyncio
from typing import Any

import pytest

from db.queries.orders import end_claims, order_by_id, set_order_state
from db.queries.payments import payment_of_order
from domain.errors import (
    IdempotencyMismatch,
    InvalidInput,
    NotFound,
    OrderExpired,
    OrderNotPayable,
    PaymentDeclined,
)
from domain.states import OrderState
from payments.gateway import GatewayRejected, IntentStatus
from payments.webhooks import WebhookEvent
from services.catalogue.cancel_event import cancel_event
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.expiry import expire_lapsed, expire_paying
from services.ordering.pay import pay
from services.ordering.release import release
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from services.ordering.sweeps import sweep_cancelled_events, sweep_payments
from services.ordering.webhook import handle_webhook
from tests.events import ORGANISER, ManualClock
from tests.integration.ordering.payments import (
    ANN,
    BOB,
    confirm_in_browser,
    drain,
    held,
    intents_made,
    kept_at_stripe,
    seats,
    state,
)


async def test_order_is_booked_and_captured_when_the_card_is_good(context: ServiceContext) -> None:
    order = await held(context)

    paid = await pay(context, ANN, order.id, "pm_card_visa")

    assert paid.order.state == "BOOKED"
    assert paid.client_secret is None
    await drain(context)
    assert await state(context, order.id) == ("BOOKED", "CAPTURED", 10_500, 0)
    assert await kept_at_stripe(context, order.id) == 10_500
    assert await seats(context, order) == b"BBAA"


async def test_deadline_moves_once_when_a_payment_method_is_given(
    context: ServiceContext, clock: ManualClock
) -> None:
    order = await held(context)
    clock.advance(seconds=100)

    first = await pay(context, ANN, order.id, "pm_card_authenticationRequired")
    clock.advance(seconds=50)
    second = await pay(context, ANN, order.id, "pm_card_authenticationRequired")

    assert first.order.state == "PAYING"
    assert (first.order.expires_at - order.expires_at).total_seconds() == pytest.approx(220, abs=2)
    assert second.order.expires_at == first.order.expires_at
    assert first.client_secret is not None and second.client_secret == first.client_secret


async def test_no_deadline_moves_when_no_payment_method_is_given(
    context: ServiceContext, clock: ManualClock
) -> None:
    order = await held(context)
    clock.advance(seconds=100)

    first = await pay(context, ANN, order.id)
    again = await pay(context, ANN, order.id)
    await drain(context)

    assert (first.order.state, first.order.expires_at) == ("RESERVED", order.expires_at)
    assert (again.order.state, again.order.expires_at) == ("RESERVED", order.expires_at)
    assert first.client_secret is not None and first.client_secret.startswith("pi_")
    assert again.client_secret == first.client_secret
    assert await intents_made(context, order) == 1
    clock.advance(seconds=381)
    with pytest.raises(OrderExpired):
        await pay(context, ANN, order.id)
    assert await seats(context, order) == b"AAAA"


@pytest.mark.parametrize(
    ("card", "payment_state"),
    [("pm_card_authenticationRequired", "REQUIRES_ACTION"), ("pm_card_chargeDeclined", "FAILED")],
)
async def test_deadline_moves_once_when_the_buyer_confirms_in_the_browser(
    context: ServiceContext, clock: ManualClock, card: str, payment_state: str
) -> None:
    order = await held(context)
    clock.advance(seconds=100)
    await pay(context, ANN, order.id)

    intent_id = await confirm_in_browser(context, order, card)
    for number in range(3):
        await handle_webhook(
            context, WebhookEvent(f"evt_{number}", "payment_intent.any", intent_id, context.now())
        )
        clock.advance(seconds=50)

    moved = await order_by_id(context.database, order.id)
    assert moved is not None
    assert (await state(context, order.id))[:2] == ("PAYING", payment_state)
    assert (moved.expires_at - order.expires_at).total_seconds() == pytest.approx(220, abs=2)


async def test_intent_is_void_when_an_order_without_payment_method_lapses(
    context: ServiceContext, clock: ManualClock
) -> None:
    order = await held(context)
    await pay(context, ANN, order.id)
    clock.advance(seconds=481)

    assert await expire_lapsed(context) == 0  # the gateway is asked first
    assert await expire_paying(context) == 1
    await drain(context)

    assert (await state(context, order.id))[:2] == ("EXPIRED", "CANCELLED")
    assert await seats(context, order) == b"AAAA"
    with pytest.raises(GatewayRejected):
        await confirm_in_browser(context, order, "pm_card_visa")
    assert await kept_at_stripe(context, order.id) == 0


async def test_intent_is_void_when_an_order_ends_while_it_is_made(
    context: ServiceContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await held(context)
    create_intent = context.gateway.create_intent

    async def end_meanwhile(*given: Any, **named: Any) -> Any:
        async with context.database.transaction() as connection:
            await set_order_state(
                connection, order.id, OrderState.EXPIRED, leaving=[OrderState.RESERVED], now=context.now()
            )
            await end_claims(connection, [order.id])
        return await create_intent(*given, **named)

    monkeypatch.setattr(context.gateway, "create_intent", end_meanwhile)
    await pay(context, ANN, order.id)
    await drain(context)

    payment = await payment_of_order(context.database, order.id)
    assert payment is not None and payment.intent_id is not None
    assert (await context.gateway.retrieve(payment.intent_id)).status is IntentStatus.CANCELLED


async def test_seats_stay_taken_when_redis_lapses_before_it_hears_of_the_payment(
    context: ServiceContext, clock: ManualClock
) -> None:
    order = await held(context)
    clock.advance(seconds=479)
    await pay(context, ANN, order.id, "pm_card_authenticationRequired")
    clock.advance(seconds=2)
    assert await seats(context, order) == b"AAAA"

    await drain(context)
    assert await seats(context, order) == b"HHAA"
    await pay(context, ANN, order.id, "pm_card_visa")
    await drain(context)
    assert await seats(context, order) == b"BBAA"


@pytest.mark.parametrize("card", ["pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds"])
async def test_another_card_may_pay_when_the_first_was_declined(context: ServiceContext, card: str) -> None:
    order = await held(context)

    with pytest.raises(PaymentDeclined):
        await pay(context, ANN, order.id, card)

    assert (await state(context, order.id))[:2] == ("PAYING", "FAILED")
    assert (await pay(context, ANN, order.id, "pm_card_visa")).order.state == "BOOKED"
    await drain(context)
    assert await kept_at_stripe(context, order.id) == 10_500


async def test_same_answer_when_the_same_key_pays_twice(context: ServiceContext) -> None:
    order = await held(context)

    first, second = await asyncio.gather(
        pay(context, ANN, order.id, "pm_card_visa", "k1"),
        pay(context, ANN, order.id, "pm_card_visa", "k1"),
        return_exceptions=True,
    )
    again = await pay(context, ANN, order.id, "pm_card_visa", "k1")

    assert {outcome.order.state for outcome in (first, second) if not isinstance(outcome, BaseException)} == {
        "BOOKED"
    }
    assert again.order.state == "BOOKED"
    with pytest.raises(IdempotencyMismatch):
        await pay(context, ANN, order.id, "pm_card_mastercard", "k1")
    with pytest.raises(OrderNotPayable):
        await pay(context, ANN, order.id, "pm_card_visa", "k2")
    await drain(context)
    assert await kept_at_stripe(context, order.id) == 10_500


async def test_free_order_is_booked_when_nothing_is_to_pay(context: ServiceContext) -> None:
    order = await held(context, price=0, fee=0)

    paid = await pay(context, ANN, order.id)

    assert (paid.order.state, paid.client_secret) == ("BOOKED", None)
    await drain(context)
    assert await seats(context, order) == b"BBAA"


@pytest.mark.parametrize("method", [None, "pm_card_visa"])
async def test_the_sum_is_named_when_stripe_cannot_charge_it(
    context: ServiceContext, method: str | None
) -> None:
    order = await held(context)
    # As an older version held it: today the sum is checked before the hold.
    await context.database.fetch("UPDATE orders SET total_minor = 30 WHERE id = $1", order.id)

    with pytest.raises(InvalidInput) as refusal:
        await pay(context, ANN, order.id, method)

    assert refusal.value.message.startswith("This order's sum cannot be charged. Amount must be at least")
    assert await context.database.fetchval("SELECT intent_id FROM payments") is None
    assert await seats(context, order) == b"HHAA"


async def test_refused_when_the_order_is_not_the_callers_or_is_over(
    context: ServiceContext, clock: ManualClock
) -> None:
    order = await held(context)

    with pytest.raises(NotFound):
        await pay(context, BOB, order.id, "pm_card_visa")
    with pytest.raises(NotFound):
        await release(context, BOB, order.id)
    clock.advance(seconds=481)
    with pytest.raises(OrderExpired):
        await pay(context, ANN, order.id, "pm_card_visa")

    assert (await state(context, order.id))[1] is None


async def test_seats_are_free_at_once_when_the_order_is_released(context: ServiceContext) -> None:
    order = await held(context)

    released = await release(context, ANN, order.id)

    assert released.state == "CANCELLED"
    assert await seats(context, order) == b"AAAA"
    again = await release(context, ANN, order.id)
    assert again.state == "CANCELLED"


@pytest.mark.parametrize("method", [None, "pm_card_authenticationRequired"])
async def test_intent_is_void_when_an_order_is_released(context: ServiceContext, method: str | None) -> None:
    order = await held(context)
    await pay(context, ANN, order.id, method)

    released = await release(context, ANN, order.id)

    assert released.state == "CANCELLED"
    payment = await payment_of_order(context.database, order.id)
    assert payment is not None and payment.intent_id is not None
    assert (await context.gateway.retrieve(payment.intent_id)).status is IntentStatus.CANCELLED
    assert payment.state == "CANCELLED"


async def test_order_expires_when_its_time_is_over(context: ServiceContext, clock: ManualClock) -> None:
    reserved, paying = await held(context), await held(context)
    await pay(context, ANN, paying.id)

    clock.advance(seconds=601)
    assert await expire_lapsed(context) == 1
    assert await expire_paying(context) == 1
    await drain(context)

    assert (await state(context, reserved.id))[0] == "EXPIRED"
    assert (await state(context, paying.id))[:2] == ("EXPIRED", "CANCELLED")
    assert await seats(context, reserved) == b"AAAA"
    assert await seats(context, paying) == b"AAAA"


async def test_booked_when_the_card_was_authorised_and_no_webhook_came(
    context: ServiceContext, clock: ManualClock
) -> None:
    order = await held(context)
    await pay(context, ANN, order.id)
    payment = await payment_of_order(context.database, order.id)
    assert payment is not None and payment.intent_id is not None
    await context.gateway.confirm(
        payment.intent_id, "pm_card_visa", idempotency_key="elsewhere", return_url="http://localhost/"
    )

    clock.advance(seconds=10)
    await sweep_payments(context)
    await drain(context)

    assert await state(context, order.id) == ("BOOKED", "CAPTURED", 10_500, 0)


async def test_everyone_is_let_go_when_the_event_is_cancelled(context: ServiceContext) -> None:
    booked = await held(context)
    await pay(context, ANN, booked.id, "pm_card_visa")
    reserved = await reserve(context, BOB, ReserveRequest(booked.event_id, ExactSeats((2,))))
    paying = await reserve(context, BOB, ReserveRequest(booked.event_id, ExactSeats((3,))))
    await pay(context, BOB, paying.id)

    await cancel_event(context, ORGANISER, booked.event_id)
    await drain(context)

    assert await state(context, booked.id) == ("REFUNDED", "REFUNDED", 10_500, 10_500)
    assert (await state(context, reserved.id))[0] == "CANCELLED"
    assert (await state(context, paying.id))[:2] == ("CANCELLED", "CANCELLED")
    assert await kept_at_stripe(context, booked.id) == 0


async def test_order_ends_when_it_slipped_into_a_cancelled_event(context: ServiceContext) -> None:
    order = await held(context)
    await context.database.fetch("UPDATE events SET state = 'CANCELLED' WHERE id = $1", order.event_id)

    await sweep_cancelled_events(context)
    await drain(context)

    assert (await state(context, order.id))[0] == "CANCELLED"
    assert await seats(context, order) == b"AAAA"


@pytest.mark.parametrize("number", ["4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242", "pm"])
async def test_nothing_is_kept_or_asked_when_a_card_number_is_given_for_a_method(
    context: ServiceContext, number: str
) -> None:
    order = await held(context)

    with pytest.raises(InvalidInput) as refused:
        await pay(context, ANN, order.id, number)

    assert number not in refused.value.message or number == "pm"
    assert await state(context, order.id) == ("RESERVED", None, 0, 0)


async def test_an_order_is_paid_when_the_admission_that_it_was_made_under_has_ended(
    context: ServiceContext,
) -> None:
    order = await held(context)
    await context.database.fetchval(
        "UPDATE events SET waiting_room_enabled = true WHERE id = $1 RETURNING id", order.event_id
    )
    await context.database.fetchval(
        "UPDATE orders SET admission_jti = 'an-admission-that-has-ended' WHERE id = $1 RETURNING id", order.id
    )
    context.forget_event(order.event_id)

    paid = await pay(context, ANN, order.id, "pm_card_visa", "key")

    assert paid.order.state == "BOOKED"
    assert await seats(context, order) != b"AAAA"
