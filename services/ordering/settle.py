"""Settle: apply an intent's state as one conditional transition of its order, in one transaction.

A webhook is only a trigger: its content is not trusted, and the intent is retrieved. The follow-up work
(seats in Redis, capture, voiding, refunds) is written to the outbox with the transition.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from db.queries.orders import (
    OrderRow,
    end_claims,
    lock_order,
    order_by_id,
    set_order_state,
    touch_order,
)
from db.queries.outbox import record_webhook, write_task
from db.queries.payments import (
    PaymentRow,
    payment_of_order,
    set_payment_state,
    touch_payment,
)
from db.queries.refunds import RefundRow, write_refund
from db.session import DATABASE_AWAY, Connection
from domain.errors import OutcomeUnknown, Unavailable
from domain.outbox import Topic
from domain.states import UNPAID_STATES, CardAttemptState, OrderState, PaymentState, RefundState
from kit.ids import new_uuid
from kit.log_context import bind
from payments.gateway import GatewayError, Intent, IntentStatus
from payments.webhooks import WebhookEvent
from services.context import ServiceContext, reading
from services.metrics import measured
from services.ordering.deadline import begin_paying
from services.ordering.declines import record_charge
from services.ordering.reversals import Reversals, Taken, read_reversals, take_in
from services.tickets.issue import issue_tickets

log = logging.getLogger("boxoffice.settle")

_BEFORE_AUTHORIZED = (PaymentState.REQUIRES_ACTION, PaymentState.PROCESSING, PaymentState.FAILED)
_BEFORE_CAPTURED = (*_BEFORE_AUTHORIZED, PaymentState.AUTHORIZED)
# A failed payment keeps its failure code when its intent is cancelled.
_BEFORE_CANCELLED = (PaymentState.REQUIRES_ACTION, PaymentState.PROCESSING, PaymentState.AUTHORIZED)


@dataclass(frozen=True, slots=True)
class _Settled:
    """An order before and after an intent was applied, and the new state of its payment, if any."""

    before: OrderRow
    after: OrderRow
    payment_state: PaymentState | None
    taken: Taken = field(default_factory=Taken)


@measured("settle")
async def apply_intent(
    context: ServiceContext,
    order_id: UUID,
    intent: Intent,
    webhook: WebhookEvent | None = None,
    reversals: Reversals | None = None,
) -> OrderRow:
    """Move an order to the state of its intent, take in what went back of its money, and return the order.

    Raises:
        OutcomeUnknown: The commit was cut; the webhook or the sweep repeats it.
    """
    bind(order_id=order_id)
    try:
        async with context.database.transaction() as connection:
            settled = await _apply(context, connection, order_id, intent, reversals)
            if webhook is not None:
                await record_webhook(connection, webhook.id, webhook.type)
    except DATABASE_AWAY as error:
        raise OutcomeUnknown from error
    _count(context, settled)
    return settled.after


def _count(context: ServiceContext, settled: _Settled) -> None:
    if settled.payment_state is not None:
        context.meters.payment(settled.payment_state)
    context.meters.refunded_by_hand(settled.taken.by_hand)
    for dispute in settled.taken.disputes:
        context.meters.dispute(dispute.state)
    before, after = settled.before, settled.after
    if before.state in UNPAID_STATES and after.state == OrderState.BOOKED:
        context.meters.booked((context.now() - after.created_at).total_seconds())


async def _apply(
    context: ServiceContext,
    connection: Connection,
    order_id: UUID,
    intent: Intent,
    reversals: Reversals | None,
) -> _Settled:
    order = await lock_order(connection, order_id)
    payment = await payment_of_order(connection, order_id)
    if order is None or payment is None:
        raise LookupError(f"intent {intent.id} belongs to no order of ours")
    now = context.now()
    if not _fits(order, payment, intent):
        log.error("intent %s does not fit order %s: nothing was booked", intent.id, order.id)
        await touch_payment(connection, order_id, now)
        if intent.id == payment.intent_id and intent.status is IntentStatus.REQUIRES_CAPTURE:
            await write_task(connection, Topic.VOID_PAYMENT, order_id, {}, now)
        return _Settled(order, order, None)
    match intent.status:
        case IntentStatus.REQUIRES_CAPTURE:
            state = await _authorized(connection, order, payment, intent, now)
        case IntentStatus.SUCCEEDED:
            state = await _captured(connection, order, payment, intent, now)
        case IntentStatus.CANCELLED:
            state = await _canceled(connection, order, payment, now)
        case _:
            state = await _open(context, connection, order, intent, now)
    taken = Taken() if reversals is None else await take_in(connection, order_id, reversals, now)
    after = await order_by_id(connection, order_id)
    assert after is not None, "orders are never deleted"
    return _Settled(order, after, state, taken)


def _fits(order: OrderRow, payment: PaymentRow, intent: Intent) -> bool:
    """Return whether an intent has this order's id, amount and currency.

    A cancelled intent moves no money, so its amount may differ.
    """
    if intent.status is IntentStatus.CANCELLED and intent.id == payment.intent_id:
        return True
    return (
        intent.order_id == order.id
        and (payment.intent_id is None or payment.intent_id == intent.id)
        and intent.amount_minor == order.total_minor
        and intent.currency.upper() == order.currency
    )


async def _book(connection: Connection, order: OrderRow, now: datetime) -> bool:
    """Book a live order; return whether this call booked it."""
    if not await set_order_state(connection, order.id, OrderState.BOOKED, leaving=UNPAID_STATES, now=now):
        return False
    await issue_tickets(connection, order.id, now)
    await write_task(connection, Topic.ORDER_BOOKED, order.id, {}, now)
    return True


async def _authorized(
    connection: Connection, order: OrderRow, payment: PaymentRow, intent: Intent, now: datetime
) -> PaymentState | None:
    """Book the order, then capture; the payment of an order that ended is voided instead."""
    given_up = payment.state == PaymentState.CANCELLED
    booked = not given_up and await _book(connection, order, now)
    if not booked and order.state != OrderState.BOOKED:
        await write_task(connection, Topic.VOID_PAYMENT, order.id, {}, now)
        return None
    if not await set_payment_state(
        connection, order.id, PaymentState.AUTHORIZED, leaving=_BEFORE_AUTHORIZED, now=now
    ):
        return None
    await record_charge(connection, order.id, intent, CardAttemptState.ACCEPTED, now)
    await write_task(connection, Topic.CAPTURE_PAYMENT, order.id, {}, now)
    return PaymentState.AUTHORIZED


async def _captured(
    connection: Connection, order: OrderRow, payment: PaymentRow, intent: Intent, now: datetime
) -> PaymentState | None:
    """Record the capture of a booked order; refund the capture of an order that ended."""
    await _book(connection, order, now)
    first = await set_payment_state(
        connection,
        order.id,
        PaymentState.CAPTURED,
        leaving=(*_BEFORE_CAPTURED, PaymentState.CANCELLED),
        now=now,
        captured_minor=intent.amount_received_minor,
    )
    if not first:
        return None
    if order.state in (OrderState.EXPIRED, OrderState.CANCELLED):
        refund = RefundRow(
            new_uuid(), payment.id, intent.amount_received_minor, "order ended", RefundState.DECIDED, None
        )
        await write_refund(connection, refund, now)
        await touch_order(connection, order.id, now)
        await write_task(connection, Topic.SEND_REFUND, order.id, {"refund_id": str(refund.id)}, now)
    else:
        await write_task(connection, Topic.ORDER_CHANGED, order.id, {}, now)
    return PaymentState.CAPTURED


async def _canceled(
    connection: Connection, order: OrderRow, payment: PaymentRow, now: datetime
) -> PaymentState | None:
    """End the order of a cancelled intent: EXPIRED after its deadline, REFUNDED where it was booked."""
    state = OrderState.EXPIRED if order.expires_at <= now else OrderState.CANCELLED
    voided = await set_payment_state(
        connection, order.id, PaymentState.CANCELLED, leaving=_BEFORE_CANCELLED, now=now
    )
    leaving: Sequence[str] = UNPAID_STATES
    if payment.state == PaymentState.AUTHORIZED:
        log.error("order %s: its payment was voided elsewhere before it was captured", order.id)
        state, leaving = OrderState.REFUNDED, [OrderState.BOOKED]
    if await set_order_state(connection, order.id, state, leaving=leaving, now=now):
        await end_claims(connection, [order.id])
        await write_task(connection, Topic.MIRROR_ORDER, order.id, {}, now)
    return PaymentState.CANCELLED if voided else None


async def _open(
    context: ServiceContext, connection: Connection, order: OrderRow, intent: Intent, now: datetime
) -> PaymentState | None:
    """Record what an undecided intent waits for; the buyer's confirmation extends the hold, once."""
    if order.state not in (*UNPAID_STATES, OrderState.BOOKED):
        await write_task(connection, Topic.VOID_PAYMENT, order.id, {}, now)
    elif intent.is_begun:
        await begin_paying(context, connection, order, now)
    state, failure_code = PaymentState.REQUIRES_ACTION, None
    if intent.status is IntentStatus.PROCESSING:
        state = PaymentState.PROCESSING
    elif intent.failure_code is not None and intent.status is IntentStatus.REQUIRES_PAYMENT_METHOD:
        state, failure_code = PaymentState.FAILED, intent.failure_code
        await record_charge(connection, order.id, intent, CardAttemptState.DECLINED, now)
    if not await set_payment_state(
        connection,
        order.id,
        state,
        leaving=[other for other in _BEFORE_AUTHORIZED if other != state],
        now=now,
        failure_code=failure_code,
    ):
        return None
    await write_task(connection, Topic.ORDER_CHANGED, order.id, {}, now)
    return state


async def settle_order(context: ServiceContext, order_id: UUID, event_type: str = "") -> None:
    """Retrieve an order's intent from the gateway, with what went back of it, and apply it.

    `event_type` is what gave rise to it, where that is known.

    Raises:
        Unavailable: The gateway or the database does not answer.
    """
    payment = await reading(payment_of_order(context.database, order_id))
    if payment is None or payment.intent_id is None:
        return
    try:
        intent = await context.gateway.retrieve(payment.intent_id)
        reversals = await read_reversals(context, intent, payment, event_type)
    except GatewayError as error:
        raise Unavailable from error
    await apply_intent(context, order_id, intent, reversals=reversals)
