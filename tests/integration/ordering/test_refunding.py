"""Refunds: what was captured goes back once, also where a bank returns it or a capture fails."""

import asyncio

import pytest

from db.queries.payments import payment_of_order
from devservices.local_stripe import LocalStripe
from domain.errors import (
    OrderNotPayable,
)
from services.context import ServiceContext
from services.ordering.outbox import deliver
from services.ordering.pay import pay
from services.ordering.refund import refund
from services.ordering.sweeps import sweep_payments
from tests.events import ORGANISER, ManualClock
from tests.integration.ordering.payments import ANN, drain, held, kept_at_stripe, seats, state
from tests.local_stripe import Control
from tests.orders import tickets_on


async def test_money_goes_back_when_tickets_are_refunded(context: ServiceContext) -> None:
    order = await held(context)
    await pay(context, ANN, order.id, "pm_card_visa")

    part = await refund(context, ORGANISER, order.id, await tickets_on(context.database, order.id, 1), "ill")
    await drain(context)

    assert part.state == "BOOKED"
    assert await state(context, order.id) == ("BOOKED", "CAPTURED", 10_500, 5_250)
    assert await seats(context, order) == b"BAAA"
    whole = await refund(context, ORGANISER, order.id)
    await drain(context)
    assert whole.state == "REFUNDED"
    assert await state(context, order.id) == ("REFUNDED", "REFUNDED", 10_500, 10_500)
    assert await kept_at_stripe(context, order.id) == 0
    with pytest.raises(OrderNotPayable):
        await refund(context, ORGANISER, order.id)


async def test_booking_ends_when_the_capture_fails_for_good(context: ServiceContext) -> None:
    order = await held(context)
    await pay(context, ANN, order.id, "pm_card_captureFails")

    await drain(context)

    assert (await state(context, order.id))[:3] == ("REFUNDED", "FAILED", 0)
    assert await kept_at_stripe(context, order.id) == 0
    assert await seats(context, order) == b"AAAA"


async def test_refund_is_sent_again_when_the_bank_sent_it_back(
    context: ServiceContext, clock: ManualClock
) -> None:
    order = await held(context)
    await pay(context, ANN, order.id, "pm_card_refundFail")
    await drain(context)
    await refund(context, ORGANISER, order.id)

    async with asyncio.timeout(20):
        while await context.database.fetchval("SELECT sum(bounces) FROM refunds") == 0:
            await deliver(context)
            clock.advance(minutes=11)
            await sweep_payments(context)

    payment = await payment_of_order(context.database, order.id)
    assert payment is not None
    assert payment.captured_minor - payment.refunded_minor == 10_500
    assert (await state(context, order.id))[0] == "REFUNDED"
    assert await context.database.fetchval("SELECT count(*) FROM outbox WHERE topic = 'send_refund'") == 1


async def test_refund_is_left_to_a_person_when_it_keeps_bouncing(
    context: ServiceContext, clock: ManualClock
) -> None:
    order = await held(context)
    await pay(context, ANN, order.id, "pm_card_refundFail")
    await drain(context)
    await refund(context, ORGANISER, order.id)

    async with asyncio.timeout(30):
        while await context.database.fetchval("SELECT state FROM refunds") != "FAILED":
            await deliver(context)
            clock.advance(minutes=11)
            await sweep_payments(context)

    assert await kept_at_stripe(context, order.id) == 10_500
    assert await context.database.fetchval("SELECT bounces FROM refunds") == 4
    assert await context.database.fetchval("SELECT count(*) FROM outbox WHERE topic = 'send_refund'") == 0


async def test_seats_are_free_at_once_when_the_gateway_refuses_the_refund(
    context: ServiceContext, stripe_server: LocalStripe
) -> None:
    order = await held(context)
    await pay(context, ANN, order.id, "pm_card_visa")
    await drain(context)
    control = Control(stripe_server.url())
    await control.add_fault("refund.fail", None, match={"order_id": str(order.id)})
    await refund(context, ORGANISER, order.id)

    while await deliver(context):
        pass

    assert await seats(context, order) == b"AAAA"
    assert await kept_at_stripe(context, order.id) == 10_500
    await control.clear_faults()
    await control.client.aclose()
