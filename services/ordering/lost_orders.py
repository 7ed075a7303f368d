"""Lost orders: what Redis or Stripe knows and PostgreSQL does not is asked at Stripe before it is freed.

A standby that follows asynchronously lacks the last commits when it is promoted, as does a restored backup. A
booking among them was acknowledged, its buyer has paid: it is written again with the same tickets, or, where
its places were sold again, refunded.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from uuid import UUID

from db.queries.lost_orders import beat, insert_ended_order, last_beat, promotion_is_unsettled
from db.queries.orders import NewOrder, OrderRow, lock_order, order_by_id, place_orders
from db.queries.payments import PaymentRow, payment_of_order, set_intent, start_payment
from db.queries.sales import sale_by_event
from db.violations import PlaceTaken
from domain.errors import Unavailable
from domain.states import UNPAID_STATES, PaymentState
from kit.ids import new_uuid
from payments.gateway import GatewayError, Intent, IntentStatus
from services.context import ServiceContext, reading
from services.ordering.intent_facts import order_of
from services.ordering.settle import settle_order

log = logging.getLogger("boxoffice.lost_orders")

_MOST_INTENTS = 100_000
_LOOKED_BACK = (timedelta(hours=1), timedelta(days=1))
"""A hold lives for minutes, so its intent is young; a booking is looked for longer where it is not"""
_BEAT_SLACK = timedelta(minutes=1)
_UNKNOWN_SINCE = timedelta(days=1)
_AT_STRIPE = (PaymentState.AUTHORIZED, PaymentState.CAPTURED)


async def holds_to_free(context: ServiceContext, holds: Mapping[UUID, bool]) -> set[UUID]:
    """Return which holds of Redis may be freed or changed as PostgreSQL says, after asking Stripe.

    `holds` says of each whether Redis has it as booked. What Stripe was paid for is written again, and an
    open payment of an order that is lost is cancelled first.

    Raises:
        Unavailable: Stripe or the database does not answer: nothing may be freed.
    """
    doubtful = {
        order_id for order_id, booked in holds.items() if await _is_doubtful(context, order_id, booked)
    }
    if not doubtful:
        return set(holds)
    try:
        intents = await _intents_of(context, doubtful, {each for each in doubtful if holds[each]})
        kept = {intent.order_id for intent in intents if not await _is_over(context, intent)}
    except GatewayError as error:
        raise Unavailable from error
    for order_id in doubtful - kept:
        log.warning("order %s is unknown here and has no payment at Stripe: its places are freed", order_id)
    return set(holds) - kept


async def _is_doubtful(context: ServiceContext, order_id: UUID, booked: bool) -> bool:
    """Return whether Stripe may know of a payment of which the rows know nothing."""
    order = await reading(order_by_id(context.database, order_id))
    if order is None:
        return True
    payment = await reading(payment_of_order(context.database, order_id))
    return booked and order.total_minor > 0 and (payment is None or order.state in UNPAID_STATES)


async def _intents_of(context: ServiceContext, orders: set[UUID], booked: set[UUID]) -> list[Intent]:
    """Return these orders' intents, from the gateway's list: its search by our ids lags behind."""
    found: list[Intent] = []
    for window in _LOOKED_BACK:
        listed = await context.gateway.recent_intents(context.now() - window, most=_MOST_INTENTS)
        found = [intent for intent in listed if intent.order_id in orders]
        if booked <= {intent.order_id for intent in found}:
            break
    return found


async def _is_over(context: ServiceContext, intent: Intent) -> bool:
    """Return whether an intent neither has money nor can get any; otherwise its order is written again."""
    assert intent.order_id is not None, "it was found by that"
    is_known = await reading(order_by_id(context.database, intent.order_id)) is not None
    if not _is_paid(intent) and not is_known and not intent.status.is_final:
        intent = await context.gateway.cancel(intent.id, idempotency_key=f"cancel:{intent.order_id}")
    if not _is_paid(intent):
        return True
    if not await recover_order(context, intent):
        await _give_back(context, intent)
    return False


def _is_paid(intent: Intent) -> bool:
    return intent.status is IntentStatus.REQUIRES_CAPTURE or intent.kept_minor > 0


async def recover_order(context: ServiceContext, intent: Intent) -> bool:
    """Write a lost order, or its lost payment, again from its intent, and settle it: booked or refunded.

    Returns: False where the intent does not say enough, or is for an event that is not ours.

    Raises:
        Unavailable: Stripe or the database does not answer; it may be repeated.
    """
    assert intent.order_id is not None, "the caller has checked that"
    order = await reading(order_by_id(context.database, intent.order_id))
    if order is None:
        lost = order_of(intent, context.now(), context.payment_time)
        if lost is None or await reading(sale_by_event(context.database, lost.row.event_id)) is None:
            return False
        await reading(_write_again(context, lost))
    await reading(_write_payment(context, intent.order_id, intent.id))
    await settle_order(context, intent.order_id)
    return True


async def _write_again(context: ServiceContext, lost: NewOrder) -> None:
    """Insert the order with its claims; without them, to be refunded, where one of its places is taken."""
    try:
        async with context.database.transaction() as connection:
            if (await place_orders(connection, [lost]))[0]:
                log.error("order %s was lost by the database, and is written again", lost.row.id)
                return
    except PlaceTaken:
        pass
    log.error("order %s was lost by the database, its places are not on sale: it is refunded", lost.row.id)
    async with context.database.transaction() as connection:
        await insert_ended_order(connection, lost)


async def _write_payment(context: ServiceContext, order_id: UUID, intent_id: str) -> None:
    async with context.database.transaction() as connection:
        order = await lock_order(connection, order_id)
        assert order is not None, "orders are never deleted"
        await start_payment(connection, new_uuid(), order, context.now())
        await set_intent(connection, order_id, intent_id)


async def _give_back(context: ServiceContext, intent: Intent) -> None:
    """Give the money of a lost order back of which the intent says too little to write it again."""
    log.error("order %s was lost by the database, and is refunded at Stripe (%s)", intent.order_id, intent.id)
    if intent.status is IntentStatus.REQUIRES_CAPTURE:
        await context.gateway.cancel(intent.id, idempotency_key=f"cancel:{intent.order_id}")
    else:
        key = f"lost:{intent.order_id}"
        await context.gateway.refund(intent.id, intent.kept_minor, intent.currency, idempotency_key=key)


async def settle_promotion(context: ServiceContext) -> int:
    """After a promotion, write again what Stripe was paid for since the last commit that the server has.

    Until that is done no unpaid order ends. Returns the number of orders; 0 where no promotion was.

    Raises:
        GatewayError, Unavailable: Stripe or the database does not answer.
    """
    now = context.now()
    if not await promotion_is_unsettled(context.database):
        await beat(context.database, now)
        return 0
    since = (await last_beat(context.database) or now - _UNKNOWN_SINCE) - _BEAT_SLACK
    log.error("PostgreSQL was promoted; the orders since %s are compared with Stripe", since)
    intents = await context.gateway.recent_intents(since, most=_MOST_INTENTS)
    recovered = await _recover(context, intents)
    await beat(context.database, now)
    log.warning("%d orders were lost by the promotion and are settled", recovered)
    return recovered


async def _recover(context: ServiceContext, intents: Iterable[Intent]) -> int:
    recovered = 0
    for intent in intents:
        if intent.order_id is None or not _is_paid(intent):
            continue
        order = await order_by_id(context.database, intent.order_id)
        payment = await payment_of_order(context.database, intent.order_id)
        if order is None or not _knows(order, payment, intent):
            recovered += await recover_order(context, intent)
    return recovered


def _knows(order: OrderRow, payment: PaymentRow | None, intent: Intent) -> bool:
    """Return whether the rows know of the money of an intent."""
    if payment is None or payment.intent_id != intent.id:
        return False
    return payment.state in _AT_STRIPE and order.state not in UNPAID_STATES
