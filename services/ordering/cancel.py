"""Cancel: end a live order unpaid, at the payment gateway first where a payment has started."""

from db.queries.lost_orders import promotion_is_unsettled
from db.queries.orders import (
    OrderRow,
    end_claims,
    lock_order,
    order_by_id,
    set_order_state,
)
from db.queries.outbox import write_task
from db.queries.payments import give_up_payment, payment_of_order
from db.session import DATABASE_AWAY, Connection
from domain.errors import Unavailable
from domain.outbox import Topic
from domain.states import UNPAID_STATES, OrderState
from payments.gateway import GatewayError, Intent
from services.context import ServiceContext, reading
from services.ordering.pay import intent_of
from services.ordering.settle import apply_intent


async def cancel_order(context: ServiceContext, order: OrderRow) -> None:
    """End a live order as CANCELLED; an order that is over stays as it is.

    Raises:
        Unavailable: The gateway or the database does not answer; the outbox finishes a started cancellation.
    """
    if order.state == OrderState.RESERVED:
        if await end_unpaid(context, order, OrderState.CANCELLED):
            return
        order = await _present(context, order)
    if order.state not in UNPAID_STATES:
        return
    if order.total_minor == 0:
        await end_unpaid(context, order, OrderState.CANCELLED)
        return
    if not await give_up(context, order):
        return
    try:
        intent = await cancel_intent(context, order, await intent_of(context, order))
    except GatewayError as error:
        raise Unavailable from error
    await apply_intent(context, order.id, intent)


async def end_unpaid(context: ServiceContext, order: OrderRow, state: OrderState) -> bool:
    """End an order that has nothing at the gateway; return False where it has, or has left `order.state`."""
    now = context.now()
    try:
        async with context.database.transaction() as connection:
            await lock_order(connection, order.id)
            if await _has_intent(connection, order):
                return False
            if await promotion_is_unsettled(connection):
                raise Unavailable  # its payment may be lost here; the gateway is being asked
            if not await set_order_state(connection, order.id, state, leaving=[order.state], now=now):
                return False
            await end_claims(connection, [order.id])
            await write_task(connection, Topic.MIRROR_ORDER, order.id, {}, now)
            return True
    except DATABASE_AWAY as error:
        raise Unavailable from error


async def _has_intent(connection: Connection, order: OrderRow) -> bool:
    """Return whether the order's intent is at the gateway, or may be."""
    return order.total_minor > 0 and await payment_of_order(connection, order.id) is not None


async def give_up(context: ServiceContext, order: OrderRow) -> bool:
    """Decide, before its intent is cancelled, that an order ends unpaid; return False where it is over.

    After this an authorisation is voided, not booked. Otherwise a webhook that read the intent before its
    cancellation would book an order that cannot be captured. The task ends the order if this process dies.
    """
    now = context.now()
    try:
        async with context.database.transaction() as connection:
            locked = await lock_order(connection, order.id)
            if locked is None or locked.state not in UNPAID_STATES:
                return False
            await give_up_payment(connection, order.id, now)
            await write_task(connection, Topic.VOID_PAYMENT, order.id, {}, now)
            return True
    except DATABASE_AWAY as error:
        raise Unavailable from error


async def cancel_intent(context: ServiceContext, order: OrderRow, intent: Intent) -> Intent:
    """Cancel an order's intent at the gateway."""
    return await context.gateway.cancel(intent.id, idempotency_key=f"cancel:{order.id}")


async def _present(context: ServiceContext, order: OrderRow) -> OrderRow:
    return await reading(order_by_id(context.database, order.id)) or order
