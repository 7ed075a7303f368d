"""How orders end unpaid: lapsed, given back, or with their event."""

import logging
from uuid import UUID

from db.queries.orders import (
    OrderRow,
    end_claims,
    expire_orders,
    lapsed_paying_orders,
    live_orders_of_event,
    lock_order,
    order_by_id,
    set_order_state,
)
from db.queries.outbox import write_task
from db.queries.payments import give_up_payment
from db.queries.sales import set_event_state
from db.session import DATABASE_AWAY, Connection
from domain.errors import BoxofficeError, OrderNotPayable, Unavailable
from domain.outbox import Topic
from domain.states import EventState, OrderState
from domain.viewer import Viewer
from kit.log_context import bind
from payments.gateway import GatewayError, Intent, IntentStatus
from services.context import ServiceContext, reading
from services.identity.authorisation import buyer_of, own_sale
from services.metrics import measured
from services.ordering.pay import intent_of, owned_order
from services.ordering.refund import refund_whole
from services.ordering.settle import apply_intent

log = logging.getLogger("boxoffice.expiry")

_BATCH = 200


async def expire_lapsed(context: ServiceContext) -> int:
    """End the RESERVED orders whose time is over; returns how many."""
    now = context.now()
    async with context.database.transaction() as connection:
        ended = await expire_orders(connection, now, _BATCH)
        for order_id, _ in ended:
            await write_task(connection, Topic.MIRROR_ORDER, order_id, {}, now)
    return len(ended)


async def expire_paying(context: ServiceContext) -> int:
    """End the PAYING orders whose time is over, each after its intent was cancelled; returns how many.

    One that turns out to be authorised is booked instead: its buyer paid in time.
    """
    order_ids = await lapsed_paying_orders(context.database, context.now(), _BATCH)
    for order_id in order_ids:
        try:
            await _expire_paying(context, order_id)
        except (BoxofficeError, GatewayError) as error:
            log.warning("order %s could not be ended yet: %s", order_id, error)
    return len(order_ids)


async def _expire_paying(context: ServiceContext, order_id: UUID) -> None:
    order = await reading(order_by_id(context.database, order_id))
    if order is None or order.state != OrderState.PAYING:
        return
    if order.total_minor == 0:
        await _end(context, order, OrderState.EXPIRED)
        return
    intent = await intent_of(context, order)
    if intent.status not in (IntentStatus.REQUIRES_CAPTURE, IntentStatus.SUCCEEDED):
        if not await _give_up(context, order):
            return
        intent = await _cancel(context, order, intent)
    await apply_intent(context, order.id, intent)


async def _give_up(context: ServiceContext, order: OrderRow) -> bool:
    """Decide that a PAYING order ends unpaid, before its gateway hears of it; False where it is not PAYING.

    From here on an authorisation is voided, not booked: otherwise a webhook that read the intent before
    it was cancelled would book what nobody can capture. The task ends the order if this process does not.
    """
    now = context.now()
    try:
        async with context.database.transaction() as connection:
            locked = await lock_order(connection, order.id)
            if locked is None or locked.state != OrderState.PAYING:
                return False
            await give_up_payment(connection, order.id, now)
            await write_task(connection, Topic.VOID_PAYMENT, order.id, {}, now)
            return True
    except DATABASE_AWAY as error:
        raise Unavailable from error


async def _cancel(context: ServiceContext, order: OrderRow, intent: Intent) -> Intent:
    return await context.gateway.cancel(intent.id, idempotency_key=f"cancel:{order.id}")


async def _end(context: ServiceContext, order: OrderRow, state: OrderState) -> bool:
    """End an order that has no money on hold; says whether it was live."""
    now = context.now()
    try:
        async with context.database.transaction() as connection:
            if not await set_order_state(connection, order.id, state, leaving=[order.state], now=now):
                return False
            await end_claims(connection, [order.id])
            await write_task(connection, Topic.MIRROR_ORDER, order.id, {}, now)
            return True
    except DATABASE_AWAY as error:
        raise Unavailable from error


@measured("release")
async def release(context: ServiceContext, viewer: Viewer | None, order_id: UUID) -> OrderRow:
    """Give back the seats of a RESERVED or PAYING order at once; one that is over already stays so.

    Raises:
        OrderNotPayable: it is booked; a refund is the organiser's to make.
    """
    bind(order_id=order_id)
    order = await owned_order(context, buyer_of(viewer), order_id)
    await cancel_order(context, order)
    after = await owned_order(context, buyer_of(viewer), order_id)
    if after.state in (OrderState.BOOKED, OrderState.REFUNDED):
        raise OrderNotPayable("This order is booked: its seats can only be refunded.")
    await _show(context, after)
    return after


async def cancel_order(context: ServiceContext, order: OrderRow) -> None:
    """End a live order: at the gateway first where a payment has started.

    Raises:
        Unavailable: the gateway or the database is away; the outbox ends what was begun.
    """
    if order.state == OrderState.RESERVED and not await _end(context, order, OrderState.CANCELLED):
        order = await _as_it_is(context, order)
    if order.state != OrderState.PAYING:
        return
    if order.total_minor == 0:
        await _end(context, order, OrderState.CANCELLED)
        return
    if not await _give_up(context, order):
        return
    try:
        intent = await _cancel(context, order, await intent_of(context, order))
    except GatewayError as error:
        raise Unavailable from error
    await apply_intent(context, order.id, intent)


async def _as_it_is(context: ServiceContext, order: OrderRow) -> OrderRow:
    """The order as it is by now."""
    found = await reading(order_by_id(context.database, order.id))
    return found or order


async def _show(context: ServiceContext, order: OrderRow) -> None:
    """Free the seats on the map now; the outbox would do it a moment later."""
    try:
        await context.seats.give_back(order.event_id, order.id)
    except Unavailable:
        log.info("order %s: the outbox gives its seats back", order.id)


async def cancel_event(context: ServiceContext, viewer: Viewer | None, event_id: UUID) -> None:
    """Cancel an event: nothing can be held from now on; the outbox ends and refunds its orders.

    Cancelling twice is cancelling once.
    """
    sale = await own_sale(context, viewer, event_id)
    now = context.now()

    async def write(connection: Connection) -> None:
        leaving = (EventState.DRAFT, EventState.PUBLISHED)
        if await set_event_state(connection, sale.id, EventState.CANCELLED, leaving=leaving, now=now):
            await write_task(connection, Topic.END_EVENT_ORDERS, sale.id, {}, now)

    await context.change_event(event_id, write)


async def end_event_orders(context: ServiceContext, event_id: UUID) -> int:
    """End a batch of a cancelled event's orders: holds are released, bookings refunded.

    Returns how many orders were live; the caller comes back until there are none.
    """
    orders = await reading(live_orders_of_event(context.database, event_id, _BATCH))
    for order in orders:
        if order.state == OrderState.BOOKED:
            await refund_whole(context, order, "event cancelled")
        else:
            await cancel_order(context, order)
    return len(orders)
