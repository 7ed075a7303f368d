"""Reversals: what Stripe says of money that went back, by our refunds, refunds by hand and disputes.

They are read before the transaction and taken in within it, so every step is conditional on the rows: a
reading that is older than another one changes nothing wrongly.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.queries.disputes import DisputeRow, disputes_of_payment, write_dispute
from db.queries.orders import OrderRow, end_claims, order_by_id, set_order_state, touch_order
from db.queries.outbox import write_task
from db.queries.payments import PaymentRow, payment_of_order
from db.queries.refunds import (
    RefundRow,
    count_refunded,
    fail_refund,
    finish_refund,
    lower_refund,
    record_tickets,
    refunds_of_payment,
    reopen_bounced_refund,
    write_refund,
)
from db.session import Connection
from domain.outbox import Topic
from domain.states import DisputeState, OrderState, RefundState
from kit.ids import new_uuid
from payments.gateway import Dispute, DisputeStatus, Intent, IntentStatus, Refund
from services.context import ServiceContext

log = logging.getLogger("boxoffice.reversals")

# A refund that the bank has returned this often must be handled by a person.
MOST_BOUNCES = 3
_STATES = {
    DisputeStatus.WARNING_NEEDS_RESPONSE: DisputeState.INQUIRY,
    DisputeStatus.WARNING_UNDER_REVIEW: DisputeState.INQUIRY,
    DisputeStatus.NEEDS_RESPONSE: DisputeState.OPEN,
    DisputeStatus.UNDER_REVIEW: DisputeState.OPEN,
    DisputeStatus.APPEAL_NEEDS_RESPONSE: DisputeState.OPEN,
    DisputeStatus.APPEAL_UNDER_REVIEW: DisputeState.OPEN,
    DisputeStatus.WARNING_CLOSED: DisputeState.CLOSED,
    DisputeStatus.PREVENTED: DisputeState.CLOSED,
    DisputeStatus.WON: DisputeState.WON,
    DisputeStatus.LOST: DisputeState.LOST,
}


@dataclass(frozen=True, slots=True)
class Reversals:
    """The refunds and disputes of an intent as Stripe had them at `read_at`."""

    refunds: Sequence[Refund]
    disputes: Sequence[Dispute]
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """What a transaction has taken in: refunds made by hand, and disputes whose state is new."""

    by_hand: int = 0
    disputes: tuple[DisputeRow, ...] = ()


def key_of(refund_id: UUID) -> str:
    """Return the key of a refund at Stripe, by which it is recognised there."""
    return f"refund:{refund_id}"


async def read_reversals(
    context: ServiceContext, intent: Intent, payment: PaymentRow | None, event_type: str = ""
) -> Reversals | None:
    """Read an intent's refunds and disputes where they may differ from ours; None where they do not.

    `event_type` is the webhook's. Raises GatewayError.
    """
    if intent.status is not IntentStatus.SUCCEEDED or payment is None:
        return None
    disputed = intent.disputed or event_type.startswith("charge.dispute.")
    # Without these two, one refund that fails while another of the same amount is made would go unseen.
    failed = event_type in ("refund.failed", "refund.updated")
    if not disputed and not failed and intent.refunded_minor == payment.refunded_minor:
        return None
    read_at = context.now()
    refunds = await context.gateway.refunds_of(intent.id)
    return Reversals(refunds, await context.gateway.disputes_of(intent.id) if disputed else [], read_at)


async def take_in(connection: Connection, order_id: UUID, reversals: Reversals, now: datetime) -> Taken:
    """Record what went back, and what follows from it for the order. The caller has locked the order."""
    order, payment = await order_by_id(connection, order_id), await payment_of_order(connection, order_id)
    if order is None or payment is None or payment.captured_minor == 0:
        return Taken()
    by_hand = await _take_in_refunds(connection, order, payment, reversals.refunds, now)
    disputes = await _take_in_disputes(connection, order, payment, reversals, now)
    if by_hand:
        await _end_if_all_went_back(connection, order, by_hand[-1], now)
    await lower_to_what_is_left(connection, order.id, now)
    if by_hand or disputes:
        await _changed(connection, order.id, now)
    return Taken(len(by_hand), tuple(disputes))


async def _changed(connection: Connection, order_id: UUID, now: datetime) -> None:
    await touch_order(connection, order_id, now)
    await write_task(connection, Topic.ORDER_CHANGED, order_id, {}, now)


async def _take_in_refunds(
    connection: Connection,
    order: OrderRow,
    payment: PaymentRow,
    refunds: Sequence[Refund],
    now: datetime,
) -> list[RefundRow]:
    """Take in Stripe's refunds, oldest first; returns those made by hand that were not known."""
    rows = await refunds_of_payment(connection, payment.id)
    by_key = {key_of(row.id): row for row in rows if not row.by_hand}
    by_gateway_id = {row.gateway_id: row for row in rows if row.by_hand}
    made = []
    for refund in sorted(refunds, key=lambda one: one.created):
        own, known = by_key.get(refund.key or ""), by_gateway_id.get(refund.id)
        if own is not None:
            await _take_in_own(connection, order, own, refund, now)
        elif known is not None:
            if not refund.status.is_standing:
                await _came_back(connection, order, known, now)
        elif refund.status.is_standing:
            row = _by_hand(payment, refund)
            if await write_refund(connection, row, now):
                await count_refunded(connection, payment.id, row.amount_minor, now)
                made.append(row)
                log.warning("order %s: %d were refunded at Stripe by hand", order.id, row.amount_minor)
    return made


def _by_hand(payment: PaymentRow, refund: Refund) -> RefundRow:
    return RefundRow(
        new_uuid(),
        payment.id,
        refund.amount_minor,
        refund.reason,
        RefundState.SENT,
        refund.id,
        by_hand=True,
        tickets_minor=0,
    )


async def _take_in_own(
    connection: Connection, order: OrderRow, own: RefundRow, refund: Refund, now: datetime
) -> None:
    """Finish a refund of ours that Stripe has; send one again that the bank has returned."""
    if refund.status.is_standing:
        if own.gateway_id != refund.id and await finish_refund(
            connection, own, refund.id, refund.amount_minor, now
        ):
            await _changed(connection, order.id, now)
        return
    if own.state != RefundState.SENT or own.gateway_id != refund.id:
        return
    if await reopen_bounced_refund(connection, own, MOST_BOUNCES, now):
        await write_task(connection, Topic.SEND_REFUND, order.id, {"refund_id": str(own.id)}, now)
    else:
        log.error("order %s: refund %s comes back again and again; pay it by other means", order.id, own.id)
    await _changed(connection, order.id, now)


async def _came_back(connection: Connection, order: OrderRow, known: RefundRow, now: datetime) -> None:
    """Record that a refund by hand failed; what an order that is over is owed is then refunded by us."""
    if known.state != RefundState.SENT or not await fail_refund(connection, known, now):
        return
    log.warning("order %s: refund %s made by hand has failed", order.id, known.gateway_id)
    await _changed(connection, order.id, now)
    if order.state == OrderState.BOOKED:
        return
    ours = RefundRow(
        new_uuid(),
        known.payment_id,
        known.amount_minor,
        known.reason,
        RefundState.DECIDED,
        None,
        tickets_minor=0,
    )
    await write_refund(connection, ours, now)
    await write_task(connection, Topic.SEND_REFUND, order.id, {"refund_id": str(ours.id)}, now)


async def _end_if_all_went_back(
    connection: Connection, order: OrderRow, last: RefundRow, now: datetime
) -> None:
    """End a booked order of which a refund by hand has left nothing; its seats are on sale again."""
    payment = await payment_of_order(connection, order.id)
    if payment is None or payment.refunded_minor < payment.captured_minor:
        return
    if not await set_order_state(
        connection, order.id, OrderState.REFUNDED, leaving=[OrderState.BOOKED], now=now
    ):
        return
    await record_tickets(connection, last.id, order.id)
    await end_claims(connection, [order.id], refund_id=last.id)
    await write_task(connection, Topic.MIRROR_ORDER, order.id, {}, now)


async def _take_in_disputes(
    connection: Connection, order: OrderRow, payment: PaymentRow, reversals: Reversals, now: datetime
) -> list[DisputeRow]:
    """Take in Stripe's disputes; returns those whose state is new."""
    changed = []
    for dispute in reversals.disputes:
        row = DisputeRow(
            dispute.id,
            payment.id,
            dispute.amount_minor,
            dispute.currency,
            dispute.reason,
            _STATES[dispute.status],
            dispute.is_refundable,
            dispute.respond_by,
            dispute.created,
        )
        if await write_dispute(connection, row, reversals.read_at):
            changed.append(row)
            log.warning("order %s: dispute %s (%s) is %s", order.id, row.id, row.reason, row.state)
    if changed and not blocks_refunds(await disputes_of_payment(connection, payment.id)):
        await _send_what_waited(connection, order, payment, now)
    return changed


async def _send_what_waited(
    connection: Connection, order: OrderRow, payment: PaymentRow, now: datetime
) -> None:
    for refund in await refunds_of_payment(connection, payment.id):
        if refund.state == RefundState.DECIDED:
            await write_task(connection, Topic.SEND_REFUND, order.id, {"refund_id": str(refund.id)}, now)


def blocks_refunds(disputes: Sequence[DisputeRow]) -> bool:
    """Return whether refunds wait for the end of a dispute, because the bank has the money."""
    return any(one.state == DisputeState.OPEN and not one.refundable for one in disputes)


def lost_minor(disputes: Sequence[DisputeRow]) -> int:
    """Return what lost disputes took."""
    return sum(one.amount_minor for one in disputes if one.state == DisputeState.LOST)


def left_minor(payment: PaymentRow, refunds: Sequence[RefundRow], disputes: Sequence[DisputeRow]) -> int:
    """Return what can still be given back of a payment: neither refunded, nor decided to be, nor lost."""
    paid = payment.captured_minor or payment.amount_minor
    gone = sum(one.amount_minor for one in refunds if one.state != RefundState.FAILED)
    return max(0, paid - gone - lost_minor(disputes))


async def lower_to_what_is_left(connection: Connection, order_id: UUID, now: datetime) -> None:
    """Lower decided refunds to what the payment has left, the oldest first; one of 0 is done."""
    payment = await payment_of_order(connection, order_id)
    if payment is None:
        return
    refunds = await refunds_of_payment(connection, payment.id)
    decided = [one for one in refunds if one.state == RefundState.DECIDED]
    others = [one for one in refunds if one.state != RefundState.DECIDED]
    left = left_minor(payment, others, await disputes_of_payment(connection, payment.id))
    for refund in decided:
        amount = min(refund.amount_minor, left)
        left -= amount
        if amount == refund.amount_minor:
            continue
        log.warning("order %s: refund %s gives back %d, all that is left", order_id, refund.id, amount)
        if amount == 0:
            await finish_refund(connection, refund, None, 0, now)
        else:
            await lower_refund(connection, refund.id, amount, now)
