"""Sweeps: find the orders and payments whose message never came."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from db.queries.card_attempts import forget_attempts
from db.queries.orders import cancelled_events_with_orders
from db.queries.outbox import applied_webhooks, move_sweep_mark, sweep_mark
from db.queries.payments import (
    FIRST_CHECK,
    FIRST_REFUND_CHECK,
    claim_payment_checks,
    claim_refund_checks,
    known_intents,
)
from domain.errors import BoxofficeError
from payments.gateway import GatewayError
from payments.webhooks import WebhookEvent
from services.context import ServiceContext
from services.ordering.declines import RETENTION
from services.ordering.end_event_orders import end_event_orders
from services.ordering.settle import settle_order
from services.ordering.webhook import handle_webhook

log = logging.getLogger("boxoffice.sweeps")

CHECK_PAUSES_SECONDS = (FIRST_CHECK.total_seconds(), 15.0, 30.0, 60.0, 120.0, 240.0, 600.0)
"""The gateway is asked about a payment that nothing changes after these pauses, the last of them repeated.

Webhooks settle payments at once, and an order's deadline retrieves them too; this finds the others.
"""
REFUND_PAUSES_SECONDS = (
    FIRST_REFUND_CHECK.total_seconds(),
    *(timedelta(hours=hours).total_seconds() for hours in (1, 8, 48, 168)),
)
"""The gateway is asked about a refund after these pauses, within which a bank may return it: 9 days

Webhooks, and the sweep of reversals where none comes, bring a returned refund at once.
"""
REVERSALS_KEPT = timedelta(days=30)
"""Stripe lists events for this long"""
REVERSALS_OVERLAP = timedelta(minutes=5)
"""An event may be listed this long after its time"""
REVERSALS_TRIED = timedelta(days=1)
"""An event that cannot be applied is tried for this long"""
WEBHOOK_TIME = timedelta(seconds=10)
"""A webhook may take this long"""
_REVERSALS = "reversals"
_MOST_REVERSALS = 10_000
_BATCH = 50
_REFUNDS = 10
"""After a cancelled event tens of thousands are due at about the same time: a running sale comes first."""


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
    order_ids += await claim_refund_checks(context.database, now, _REFUNDS, REFUND_PAUSES_SECONDS)
    for order_id in order_ids:
        try:
            await settle_order(context, order_id)
        except (BoxofficeError, GatewayError, LookupError) as error:
            log.warning("order %s could not be settled yet: %s", order_id, error)
    return len(order_ids)


async def sweep_card_attempts(context: ServiceContext) -> int:
    """Delete the card attempts that no limit counts any more, and return their number."""
    return await forget_attempts(context.database, context.now() - RETENTION, _BATCH)


async def sweep_reversals(context: ServiceContext) -> int:
    """Take in the refunds by hand and the disputes that no webhook has announced, and return their number.

    Raises:
        GatewayError: The gateway does not answer.
    """
    now = context.now()
    mark = await sweep_mark(context.database, _REVERSALS) or now - REVERSALS_KEPT
    events = await context.gateway.recent_reversals(mark - REVERSALS_OVERLAP, most=_MOST_REVERSALS)
    if len(events) == _MOST_REVERSALS:
        log.error(
            "only the latest %d events since %s were read; run `boxoffice doctor --days 30`",
            len(events),
            mark,
        )
    missed = await _missed(context, events, now - WEBHOOK_TIME)
    failed = [event.created for event in missed if not await _handled(context, event)]
    read_until = max(min([now - WEBHOOK_TIME, *failed]), now - REVERSALS_TRIED)
    await move_sweep_mark(context.database, _REVERSALS, read_until)
    return len(missed) - len(failed)


async def _missed(
    context: ServiceContext, events: Sequence[WebhookEvent], before: datetime
) -> list[WebhookEvent]:
    """Return the events of our payments that their webhook had time for and did not bring, oldest first."""
    applied = await applied_webhooks(context.database, [event.id for event in events])
    ours = await known_intents(context.database, [event.intent_id for event in events if event.intent_id])
    return [
        event
        for event in reversed(events)
        if event.id not in applied and event.intent_id in ours and event.created <= before
    ]


async def _handled(context: ServiceContext, event: WebhookEvent) -> bool:
    try:
        await handle_webhook(context, event)
    except BoxofficeError as error:
        log.warning("event %s (%s) could not be applied yet: %s", event.id, event.type, error)
        return False
    return True
