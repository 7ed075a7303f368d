"""Expiry: end the orders whose deadline has passed."""

import logging
from uuid import UUID

from db.queries.orders import expire_orders, lapsed_orders_with_payment, order_by_id
from db.queries.outbox import write_task
from domain.errors import BoxofficeError
from domain.outbox import Topic
from domain.states import UNPAID_STATES, OrderState
from payments.gateway import GatewayError, IntentStatus
from services.context import ServiceContext, reading
from services.ordering.cancel import cancel_intent, end_unpaid, give_up
from services.ordering.pay import intent_of
from services.ordering.settle import apply_intent

log = logging.getLogger("boxoffice.expiry")

_BATCH = 200


async def expire_lapsed(context: ServiceContext) -> int:
    """End the orders without a payment whose deadline has passed, and return their number."""
    now = context.now()
    async with context.database.transaction() as connection:
        ended = await expire_orders(connection, now, _BATCH)
        for order_id, _ in ended:
            await write_task(connection, Topic.MIRROR_ORDER, order_id, {}, now)
    return len(ended)


async def expire_paying(context: ServiceContext) -> int:
    """End the orders with a payment whose deadline has passed, and return their number.

    Each order ends after its intent was cancelled. An order whose intent is authorised is booked instead,
    because its buyer paid in time.
    """
    order_ids = await lapsed_orders_with_payment(context.database, context.now(), _BATCH)
    for order_id in order_ids:
        try:
            await _expire_paying(context, order_id)
        except (BoxofficeError, GatewayError) as error:
            log.warning("order %s could not be ended yet: %s", order_id, error)
    return len(order_ids)


async def _expire_paying(context: ServiceContext, order_id: UUID) -> None:
    order = await reading(order_by_id(context.database, order_id))
    if order is None or order.state not in UNPAID_STATES:
        return
    if order.total_minor == 0:
        await end_unpaid(context, order, OrderState.EXPIRED)
        return
    intent = await intent_of(context, order)
    if intent.status not in (IntentStatus.REQUIRES_CAPTURE, IntentStatus.SUCCEEDED):
        if not await give_up(context, order):
            return
        intent = await cancel_intent(context, order, intent)
    await apply_intent(context, order.id, intent)
