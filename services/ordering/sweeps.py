"""Sweeps: find the orders and payments whose message never came."""

import logging
from datetime import timedelta

from db.queries.orders import cancelled_events_with_orders
from db.queries.payments import lately_refunded_payments, touch_payment, unsettled_payments
from domain.errors import BoxofficeError
from payments.gateway import GatewayError
from services.context import ServiceContext
from services.ordering.cancel import end_event_orders
from services.ordering.settle import settle_order

log = logging.getLogger("boxoffice.sweeps")

QUIET = timedelta(seconds=5)
"""A payment without a change for this long is retrieved from the gateway"""
REFUND_WINDOW = timedelta(days=10)
"""A bank may return a refund for this long after it was sent"""
REFUND_INTERVAL = timedelta(minutes=10)
_BATCH = 50


async def sweep_cancelled_events(context: ServiceContext) -> int:
    """End the orders that were placed while their event was cancelled.

    Returns: 0, because a failing event must not make the loop run without a pause.
    """
    for event_id in await cancelled_events_with_orders(context.database):
        try:
            await end_event_orders(context, event_id)
        except BoxofficeError as error:
            log.warning("orders of cancelled event %s could not be ended yet: %s", event_id, error)
    return 0


async def sweep_payments(context: ServiceContext) -> int:
    """Settle the payments that no webhook has settled, and return the number retrieved."""
    now = context.now()
    payments = await unsettled_payments(context.database, now - QUIET, _BATCH)
    payments += await lately_refunded_payments(
        context.database, now - REFUND_WINDOW, now - REFUND_INTERVAL, _BATCH
    )
    for payment in payments:
        try:
            await touch_payment(context.database, payment.order_id, now)
            await settle_order(context, payment.order_id)
        except (BoxofficeError, GatewayError, LookupError) as error:
            log.warning("order %s could not be settled yet: %s", payment.order_id, error)
    return len(payments)
