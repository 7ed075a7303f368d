"""Sweeps: find the orders and payments whose message never came."""

import logging
from datetime import timedelta

from db.queries.card_attempts import forget_attempts
from db.queries.orders import cancelled_events_with_orders
from db.queries.payments import (
    FIRST_CHECK,
    claim_payment_checks,
    lately_refunded_payments,
    touch_payment,
)
from domain.errors import BoxofficeError
from payments.gateway import GatewayError
from services.context import ServiceContext
from services.ordering.cancel import end_event_orders
from services.ordering.declines import RETENTION
from services.ordering.settle import settle_order

log = logging.getLogger("boxoffice.sweeps")

CHECK_PAUSES_SECONDS = (FIRST_CHECK.total_seconds(), 15.0, 30.0, 60.0, 120.0, 240.0, 600.0)
"""The gateway is asked about a payment that nothing changes after these pauses, the last of them repeated.

Webhooks settle payments at once, and an order's deadline retrieves them too; this finds the others.
"""
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
    order_ids = await claim_payment_checks(context.database, now, _BATCH, CHECK_PAUSES_SECONDS)
    refunded = await lately_refunded_payments(
        context.database, now - REFUND_WINDOW, now - REFUND_INTERVAL, _BATCH
    )
    for payment in refunded:
        await touch_payment(context.database, payment.order_id, now)
    order_ids += [payment.order_id for payment in refunded]
    for order_id in order_ids:
        try:
            await settle_order(context, order_id)
        except (BoxofficeError, GatewayError, LookupError) as error:
            log.warning("order %s could not be settled yet: %s", order_id, error)
    return len(order_ids)


async def sweep_card_attempts(context: ServiceContext) -> int:
    """Delete the card attempts that no limit counts any more, and return their number."""
    return await forget_attempts(context.database, context.now() - RETENTION, _BATCH)
