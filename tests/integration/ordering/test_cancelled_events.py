"""A cancelled event with many orders: they end in few statements, and the money goes back at a pace."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from db.queries.payments import claim_refund_checks
from db.queries.refunds import read_backlog
from domain.outbox import OTHER_TOPICS
from domain.states import EventState
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.end_event_orders import end_event_orders
from services.ordering.outbox import deliver
from services.ordering.pay import pay
from services.ordering.refund import refund
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from services.ordering.sweeps import REFUND_PAUSES_SECONDS
from tests.events import ORGANISER, ManualClock, open_event
from tests.integration.ordering.payments import ANN, drain, held, kept_at_stripe, state
from tests.orders import tickets_on

_ORDERS = 600
_BOOKED = """
INSERT INTO users (id, subject) VALUES (md5('user')::uuid, 'user');
INSERT INTO orders (
  id, reference, event_id, user_id, state, currency, subtotal_minor, fees_minor, total_minor, expires_at
)
SELECT md5('order' || n)::uuid, 'R' || n, '{event}', md5('user')::uuid, 'BOOKED', 'USD', 5000, 250, 5250,
  now()
FROM generate_series(1, {orders}) AS n;
INSERT INTO claims (event_id, place, order_id, state, price_minor, fee_minor)
SELECT '{event}', n - 1, md5('order' || n)::uuid, 'BOOKED', 5000, 250 FROM generate_series(1, {orders}) AS n;
INSERT INTO payments (id, order_id, intent_id, state, amount_minor, captured_minor, currency)
SELECT md5('payment' || n)::uuid, md5('order' || n)::uuid, 'pi_' || n, 'CAPTURED', 5250, 5250, 'USD'
FROM generate_series(1, {orders}) AS n;
"""


@pytest.fixture
def paced(context: ServiceContext) -> ServiceContext:
    """The context with a tenth of a second between two refunds."""
    return replace(context, refund_pause=timedelta(seconds=0.1))


async def _cancelled(context: ServiceContext, orders: int = _ORDERS) -> UUID:
    """A cancelled event with booked orders of one place each."""
    event_id = await open_event(context.database, rows=[orders])
    async with context.database.connection() as connection:
        await connection.execute(_BOOKED.format(event=event_id, orders=orders))
    await context.seats.build(event_id)
    await context.database.fetch("UPDATE events SET state = $1", EventState.CANCELLED)
    return event_id


async def _end_all(context: ServiceContext, event_id: UUID) -> int:
    batches = 0
    while await end_event_orders(context, event_id):
        batches += 1
    return batches


async def test_every_order_is_refunded_and_its_place_free_when_an_event_is_cancelled(
    paced: ServiceContext,
) -> None:
    event_id = await _cancelled(paced)
    fetch = paced.database.fetchval

    assert await _end_all(paced, event_id) == 2

    assert await fetch("SELECT count(*) FROM orders WHERE state = 'REFUNDED'") == _ORDERS
    ended = (
        "SELECT count(*) FROM claims JOIN refunds ON refunds.id = claims.refund_id"
        " JOIN payments ON payments.id = refunds.payment_id AND payments.order_id = claims.order_id"
        " WHERE claims.state = 'ENDED' AND refunds.amount_minor = 5250 AND refunds.state = 'DECIDED'"
    )
    assert await fetch(ended) == _ORDERS
    while await deliver(paced, OTHER_TOPICS):
        pass
    assert (await paced.seats.snapshot(event_id)).places == b"A" * _ORDERS
    assert await fetch("SELECT count(*) FROM outbox WHERE topic <> 'send_refund'") == 0
    waiting, last = await read_backlog(paced.database)
    assert waiting == _ORDERS
    first = await fetch("SELECT min(available_at) FROM outbox")
    assert last == first + timedelta(seconds=0.1) * (_ORDERS - 1)


async def test_refunds_are_due_at_the_permitted_pace_and_sales_go_on_between_them(
    paced: ServiceContext, clock: ManualClock
) -> None:
    await _end_all(paced, await _cancelled(paced, 100))
    while await deliver(paced, OTHER_TOPICS):
        pass
    other = await open_event(paced.database, rows=[4])
    order = await reserve(paced, ANN, ReserveRequest(other, ExactSeats((0,))))
    await pay(paced, ANN, order.id, "pm_card_visa")
    due = "SELECT count(*) FROM outbox WHERE topic = 'send_refund' AND available_at <= $1"

    first = await paced.database.fetchval("SELECT min(available_at) FROM outbox")
    assert await paced.database.fetchval(due, first) == 1
    assert await paced.database.fetchval(due, first + timedelta(seconds=2)) == 21
    clock.advance(seconds=60)
    while await deliver(paced, OTHER_TOPICS):
        pass

    assert (await state(paced, order.id))[:2] == ("BOOKED", "CAPTURED")
    assert (await read_backlog(paced.database))[0] == 100


async def test_money_goes_back_once_when_an_order_of_the_event_had_a_refund_before(
    context: ServiceContext,
) -> None:
    order = await held(context)
    await pay(context, ANN, order.id, "pm_card_visa")
    await drain(context)
    await refund(context, ORGANISER, order.id, await tickets_on(context.database, order.id, 1))
    unpaid = await reserve(context, ANN, ReserveRequest(order.event_id, ExactSeats((3,))))
    await context.database.fetch("UPDATE events SET state = 'CANCELLED'")

    await _end_all(context, order.event_id)
    await drain(context)

    assert await state(context, order.id) == ("REFUNDED", "REFUNDED", 10_500, 10_500)
    assert await kept_at_stripe(context, order.id) == 0
    assert (await state(context, unpaid.id))[0] == "CANCELLED"
    assert await context.database.fetchval("SELECT count(*) FROM refunds") == 2


async def test_a_batch_leaves_the_order_that_another_transaction_refunds(context: ServiceContext) -> None:
    event_id = await _cancelled(context, 20)
    async with context.database.transaction() as connection:
        order_id = await connection.fetchval("SELECT id FROM orders ORDER BY id LIMIT 1 FOR UPDATE")
        ending = asyncio.create_task(_end_all(context, event_id))
        async with asyncio.timeout(10):
            while await context.database.fetchval("SELECT count(*) FROM refunds") < 19:
                await asyncio.sleep(0.01)
        await connection.execute("UPDATE orders SET state = 'REFUNDED' WHERE id = $1", order_id)
        await connection.execute("UPDATE claims SET state = 'ENDED' WHERE order_id = $1", order_id)

    await ending

    assert await context.database.fetchval("SELECT count(*) FROM refunds") == 19


async def test_a_refund_is_asked_about_five_times_in_ten_days_after_growing_pauses(
    context: ServiceContext, clock: ManualClock
) -> None:
    order = await held(context)
    await pay(context, ANN, order.id, "pm_card_visa")
    await drain(context)
    await refund(context, ORGANISER, order.id)
    await drain(context)
    began, asked = clock(), []

    for _ in range(10 * 24 * 6):
        clock.advance(minutes=10)
        if await claim_refund_checks(context.database, clock(), 10, REFUND_PAUSES_SECONDS):
            asked.append((clock() - began) / timedelta(hours=1))

    assert asked == pytest.approx([1 / 6, 7 / 6, 55 / 6, 343 / 6, 1351 / 6], abs=0.01)
