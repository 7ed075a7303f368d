"""Sweeps: what nobody told us is found all the same."""

import logging
from datetime import timedelta

from db.queries.orders import cancelled_events_with_orders
from db.queries.payments import lately_refunded_payments, touch_payment, unsettled_payments
from domain.errors import BoxofficeError
from payments.gateway import GatewayError
from services.context import ServiceContext
from services.ordering.expiry import end_event_orders
from services.ordering.settle import settle_order

log = logging.getLogger("boxoffice.payment_sweep")

# A payment that nothing has moved for this long is asked about.
QUIET = timedelta(seconds=5)
# A refund may bounce for this long after it was sent, and is looked at this often.
REFUND_LOOK = timedelta(days=10)
REFUND_PACE = timedelta(minutes=10)
_BATCH = 50


async def sweep_cancelled_events(context: ServiceContext) -> int:
    """End orders that were on their way while their event was cancelled; returns how many events had any."""
    event_ids = await cancelled_events_with_orders(context.database)
    for event_id in event_ids:
        try:
            await end_event_orders(context, event_id)
        except BoxofficeError as error:
            log.warning("orders of cancelled event %s could not be ended yet: %s", event_id, error)
    return 0


async def sweep_payments(context: ServiceContext) -> int:
    """Settle payments that no webhook has settled; returns how many were asked about."""
    now = context.now()
    payments = await unsettled_payments(context.database, now - QUIET, _BATCH)
    payments += await lately_refunded_payments(context.database, now - REFUND_LOOK, now - REFUND_PACE, _BATCH)
    for payment in payments:
        try:
            await touch_payment(context.database, payment.order_id, now)
            await settle_order(context, payment.order_id)
        except (BoxofficeError, GatewayError, LookupError) as error:
            log.warning("order %s could not be settled yet: %s", payment.order_id, error)
    return len(payments)
