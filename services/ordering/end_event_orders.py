"""End the orders of a cancelled event, a batch a call: bookings are refunded, holds released."""

import logging
from collections.abc import Sequence
from uuid import UUID

from db.queries.orders import OrderRow, live_orders_of_event, lock_booked_orders
from db.queries.outbox import write_task
from db.queries.refunds import refund_whole_orders
from db.session import DATABASE_AWAY
from domain.errors import Unavailable
from domain.outbox import Topic
from domain.states import OrderState
from kit.ids import new_uuid
from services.context import ServiceContext, reading
from services.ordering.cancel import cancel_order
from services.ordering.refund import refund_whole

log = logging.getLogger("boxoffice.cancellation")

_BATCH = 500
_REASON = "event cancelled"


async def end_event_orders(context: ServiceContext, event_id: UUID) -> int:
    """Release the holds and refund the bookings of a cancelled event, one batch a call.

    Returns: The number of live orders in the batch; the caller repeats until it is 0.
    """
    orders = await reading(live_orders_of_event(context.database, event_id, _BATCH))
    booked = [order for order in orders if order.state == OrderState.BOOKED]
    ended = await _refund_together(context, booked) if booked else set()
    for order in orders:
        if order.id in ended:
            continue
        if order.state == OrderState.BOOKED:
            await refund_whole(context, order, _REASON)
        else:
            await cancel_order(context, order)
    if orders:
        log.info("event %s is cancelled: %d more orders are ended", event_id, len(orders))
    return len(orders)


async def _refund_together(context: ServiceContext, orders: Sequence[OrderRow]) -> set[UUID]:
    """Refund the booked orders that had no refund before, in one transaction; returns which.

    A task a batch frees their seats in Redis. The tasks of the refunds are due one after the other, so that
    running sales go on between them, and the gateway is not asked for more than it permits.
    """
    now = context.now()
    try:
        async with context.database.transaction() as connection:
            locked = await lock_booked_orders(connection, [order.id for order in orders])
            refunds = {order_id: new_uuid() for order_id in locked}
            ended = await refund_whole_orders(connection, refunds, _REASON, now, context.refund_pause)
            if ended:
                order_ids = sorted(map(str, ended))
                # Its key is no order's: behind the task of a refund the places would wait for the gateway.
                key = f"places:{order_ids[0]}"
                await write_task(connection, Topic.MIRROR_ORDERS, key, {"order_ids": order_ids}, now)
    except DATABASE_AWAY as error:
        raise Unavailable from error
    return ended
