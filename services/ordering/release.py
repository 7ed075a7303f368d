"""Release: a buyer returns the seats of an unpaid order."""

import logging
from uuid import UUID

from db.queries.orders import OrderRow
from domain.errors import OrderNotPayable, Unavailable
from domain.states import OrderState
from domain.viewer import Viewer
from kit.log_context import bind
from services.context import ServiceContext
from services.identity.authorisation import buyer_of
from services.metrics import measured
from services.ordering.cancel import cancel_order
from services.ordering.pay import owned_order

log = logging.getLogger("boxoffice.release")


@measured("release")
async def release(context: ServiceContext, viewer: Viewer | None, order_id: UUID) -> OrderRow:
    """Release the seats of a RESERVED or PAYING order at once; an order that is over stays as it is.

    Raises:
        OrderNotPayable: The order is booked; only the organiser can refund it.
    """
    bind(order_id=order_id)
    order = await owned_order(context, buyer_of(viewer), order_id)
    await cancel_order(context, order)
    after = await owned_order(context, buyer_of(viewer), order_id)
    if after.state in (OrderState.BOOKED, OrderState.REFUNDED):
        raise OrderNotPayable("This order is booked: its seats can only be refunded.")
    await _free_seats(context, after)
    return after


async def _free_seats(context: ServiceContext, order: OrderRow) -> None:
    """Free the seats in Redis at once; the outbox would do it a moment later."""
    try:
        await context.seats.release(order.event_id, order.id)
    except Unavailable:
        log.info("order %s: the outbox releases its seats", order.id)
