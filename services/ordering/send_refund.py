"""Send a decided refund to Stripe, at most once, and never more than the payment has left."""

import logging
from uuid import UUID

from db.queries.disputes import disputes_of_payment
from db.queries.orders import lock_order, touch_order
from db.queries.payments import PaymentRow, payment_of_order
from db.queries.refunds import RefundRow, fail_refund, finish_refund, refund_by_id
from domain.errors import Unavailable
from domain.states import PaymentState, RefundState
from payments.gateway import ALREADY_REFUNDED, DISPUTED, Declined, GatewayRejected
from services.context import ServiceContext
from services.ordering.reversals import blocks_refunds, key_of, lost_minor
from services.ordering.settle import settle_order

log = logging.getLogger("boxoffice.refunds")


async def send_refund(context: ServiceContext, order_id: UUID, refund_id: UUID) -> bool:
    """Send a decided refund after the capture; returns whether nothing is left to do now.

    False: its amount was lowered to what is left, so it is to be sent again. A refund that an open dispute
    blocks stays decided; the end of the dispute sends it, or finds nothing left.

    Raises:
        Unavailable: The capture is still to come, or the bank has sent the refund back.
        GatewayError: The gateway did not do it.
    """
    refund = await refund_by_id(context.database, refund_id)
    payment = await payment_of_order(context.database, order_id)
    if refund is None or payment is None or refund.state != RefundState.DECIDED:
        return True
    if payment.state == PaymentState.AUTHORIZED:
        raise Unavailable("Its capture is still to come.")
    if payment.captured_minor == 0 or payment.intent_id is None or refund.amount_minor == 0:
        await _finish(context, order_id, refund, None, 0)
        return True
    if blocks_refunds(await disputes_of_payment(context.database, payment.id)):
        log.warning("order %s: refund %s waits for the end of a dispute", order_id, refund.id)
        return True
    try:
        sent = await context.gateway.refund(
            payment.intent_id, refund.amount_minor, payment.currency, idempotency_key=key_of(refund.id)
        )
    except (Declined, GatewayRejected) as refusal:
        return await _refused(context, order_id, payment, refund, refusal)
    if not sent.status.is_standing:
        raise Unavailable(f"The bank sent the refund back ({sent.failure_code}).")
    await _finish(context, order_id, refund, sent.id, sent.amount_minor)
    return True


async def _refused(
    context: ServiceContext,
    order_id: UUID,
    payment: PaymentRow,
    refund: RefundRow,
    refusal: Declined | GatewayRejected,
) -> bool:
    """Take in what has happened at Stripe meanwhile, which may explain the refusal."""
    await settle_order(context, order_id, "charge.dispute.updated" if refusal.code == DISPUTED else "")
    after = await refund_by_id(context.database, refund.id)
    if after is None or after.state != RefundState.DECIDED:
        return True
    if after.amount_minor != refund.amount_minor:
        return False
    disputes = await disputes_of_payment(context.database, payment.id)
    if refusal.code == DISPUTED and blocks_refunds(disputes):
        return True
    if refusal.code == DISPUTED and lost_minor(disputes) > 0:
        log.error("order %s: its payment was disputed, and refund %s cannot be sent", order_id, refund.id)
        async with context.database.transaction() as connection:
            await lock_order(connection, order_id)
            await touch_order(connection, order_id, context.now())
            await fail_refund(connection, refund, context.now())
        return True
    if refusal.code == ALREADY_REFUNDED:
        await _finish(context, order_id, refund, None, 0)
        return True
    raise refusal


async def _finish(
    context: ServiceContext, order_id: UUID, refund: RefundRow, gateway_id: str | None, amount_minor: int
) -> None:
    async with context.database.transaction() as connection:
        await lock_order(connection, order_id)
        await touch_order(connection, order_id, context.now())
        await finish_refund(connection, refund, gateway_id, amount_minor, context.now())
