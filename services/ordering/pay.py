"""Pay: authorise the card and settle the result; the first payment method extends the hold, once."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.queries.card_attempts import end_attempt
from db.queries.lost_orders import subject_of
from db.queries.orders import (
    OrderRow,
    claims_of_orders,
    lock_order,
    order_by_id,
    set_order_state,
)
from db.queries.outbox import write_task
from db.queries.payments import (
    PaymentRow,
    count_attempt,
    payment_of_order,
    set_intent,
    set_payment_state,
    start_payment,
)
from db.queries.sales import sale_by_event
from db.session import DATABASE_AWAY, Connection
from domain.errors import (
    IdempotencyMismatch,
    InvalidInput,
    NotFound,
    NotOnSale,
    OrderExpired,
    OrderNotPayable,
    OutcomeUnknown,
    PaymentDeclined,
    Unavailable,
)
from domain.idempotency import Operation, RequestKey, request_key
from domain.ids import Kind, public_id
from domain.outbox import Topic
from domain.states import UNPAID_STATES, EventState, EventStatus, OrderState, PaymentState, event_status
from domain.viewer import Viewer
from kit.ids import new_uuid
from kit.log_context import bind
from payments.gateway import (
    AMOUNT_FAULTS,
    MISMATCH,
    Declined,
    GatewayError,
    GatewayRejected,
    GatewayUnavailable,
    Intent,
    IntentStatus,
)
from services.context import ServiceContext, reading
from services.idempotency import earlier_result, record_request
from services.identity.authorisation import buyer_of
from services.metrics import measured
from services.ordering.deadline import begin_paying
from services.ordering.declines import begin_attempt, check_declines, record_decline
from services.ordering.intent_facts import intent_facts
from services.ordering.next_step import secret_of
from services.ordering.settle import apply_intent
from services.tickets.issue import issue_tickets

_OPEN = (PaymentState.REQUIRES_ACTION, PaymentState.PROCESSING, PaymentState.FAILED)
_CONFIRMABLE = (
    IntentStatus.REQUIRES_PAYMENT_METHOD,
    IntentStatus.REQUIRES_CONFIRMATION,
    IntentStatus.REQUIRES_ACTION,
)
_PAID = (OrderState.BOOKED, OrderState.REFUNDED)
_LONGEST = 255
_METHOD = re.compile(r"[a-z]+_\w+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Paid:
    """An order whose payment has started or is done.

    `client_secret` is for Stripe.js; None where nothing is to be confirmed: the order is free, or paid.
    """

    order: OrderRow
    client_secret: str | None


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What a buyer asks to pay with, and the address of the client."""

    payment_method_id: str | None
    request: RequestKey | None
    address: str


@measured("pay")
async def pay(
    context: ServiceContext,
    viewer: Viewer | None,
    order_id: UUID,
    payment_method_id: str | None = None,
    idempotency_key: str | None = None,
    *,
    address: str = "",
) -> Paid:
    """Start the payment; with a payment method, extend the hold once and complete the payment.

    Without one, the buyer confirms at the gateway with the client secret, and the hold is extended when that
    has begun. `address` is the client's; its network may have a limited number of declines.

    Raises:
        SlowDown: The order, the person or the network has had too many declines.
        PaymentDeclined: The card was declined; another card may pay the order until its deadline.
        DomainError: for every other reason why this order cannot be paid.
        OutcomeUnknown: the gateway did not answer; the same call finds out.
    """
    buyer = buyer_of(viewer)
    bind(order_id=order_id)
    _check_method(payment_method_id)
    wanted = (str(order_id), payment_method_id)
    request = request_key(buyer.user_id, Operation.PAY, idempotency_key, wanted)
    order = await owned_order(context, buyer, order_id)
    is_repeat = request is not None and await earlier_result(context, request) is not None
    replay = await _replayed(context, order, request) if request is not None and is_repeat else None
    if replay is not None:
        return replay
    order, key = await _start(context, order, _Attempt(payment_method_id, request, address))
    if order.state in _PAID:
        return Paid(order, None)
    if order.total_minor == 0:
        return Paid(await _book_free(context, order), None)
    return await _charge(context, order, payment_method_id, key)


async def owned_order(context: ServiceContext, viewer: Viewer, order_id: UUID) -> OrderRow:
    """Return the viewer's own order.

    Raises:
        NotFound: There is no such order, or it is another buyer's.
    """
    order = await reading(order_by_id(context.database, order_id))
    if order is None or order.user_id != viewer.user_id:
        raise NotFound("There is no such order.")
    return order


def _check_method(payment_method_id: str | None) -> None:
    if payment_method_id is None:
        return
    if not (1 <= len(payment_method_id) <= _LONGEST and payment_method_id.isprintable()):
        raise InvalidInput(f"paymentMethodId: between 1 and {_LONGEST} printable characters.")
    # A card number pasted here by mistake must not go further; not even its hash is stored.
    if not _METHOD.fullmatch(payment_method_id):
        raise InvalidInput("paymentMethodId: the id of a Stripe payment method, pm_...")


async def _replayed(context: ServiceContext, order: OrderRow, request: RequestKey) -> Paid | None:
    """Return the answer that the same key had before; None while the payment is open."""
    payment = await reading(payment_of_order(context.database, order.id))
    return Paid(order, None) if _is_paid_with(order, payment, request) else None


def _is_paid_with(order: OrderRow, payment: PaymentRow | None, request: RequestKey) -> bool:
    """Return whether the last attempt had this key, or none was made with a card, and the order is paid."""
    if payment is None or order.state not in _PAID:
        return False
    return payment.idempotency_key in (None, request.key)


async def _check_sale(connection: Connection, order: OrderRow, now: datetime, *, is_repeat: bool) -> None:
    """Refuse to begin a payment for an event that is not as it was; its seats stay held until their deadline.

    A request that is repeated finds out what became of the payment that it began. The order is locked, and
    a move of the event locks it, too: it sees this payment, or this payment sees the move.

    Raises:
        NotOnSale: The event was cancelled, or is over, or was moved since the hold.
    """
    if order.state not in UNPAID_STATES:
        return
    sale = await sale_by_event(connection, order.event_id)
    assert sale is not None, "an event with orders is never deleted"
    if sale.state == EventState.CANCELLED:
        raise NotOnSale("This event was cancelled.")
    if is_repeat:
        return
    if event_status(sale, now, sold_out=False) is EventStatus.ENDED:
        raise NotOnSale("This event is over.")
    if sale.moved_at is not None and sale.moved_at > order.created_at:
        raise NotOnSale("This event was moved to another time; release these seats and choose again.")


async def _start(context: ServiceContext, order: OrderRow, attempt: _Attempt) -> tuple[OrderRow, str]:
    """Record the payment; with a payment method, or where nothing is to pay, the order becomes PAYING.

    Returns: The order, and the key of this attempt with a card. The order is paid already where a request
        with the same key at the same moment was faster.
    """
    now, request = context.now(), attempt.request
    try:
        async with context.database.transaction() as connection:
            earlier = await record_request(connection, request, order.id, now)
            locked = await lock_order(connection, order.id)
            if locked is None:
                raise NotFound("There is no such order.")
            payment = await payment_of_order(connection, order.id)
            if request is not None and earlier is not None and _is_paid_with(locked, payment, request):
                return locked, ""
            await _check_sale(connection, locked, now, is_repeat=earlier is not None)
            _check_payable(locked, now, payment)
            if payment is None:
                await start_payment(connection, new_uuid(), locked, now)
            key = await _count_attempt(context, connection, locked, payment, attempt)
            if attempt.payment_method_id is not None or locked.total_minor == 0:
                await begin_paying(context, connection, locked, now)
            return await _fresh(connection, order.id), key
    except DATABASE_AWAY as error:
        raise Unavailable from error


async def _count_attempt(
    context: ServiceContext,
    connection: Connection,
    order: OrderRow,
    payment: PaymentRow | None,
    attempt: _Attempt,
) -> str:
    """Return the key of this attempt with a card, "" without one. Raises SlowDown after too many declines."""
    if order.total_minor == 0:
        return ""
    if attempt.payment_method_id is None:
        await check_declines(context, connection, order.id, attempt.address)
        return ""
    given = None if attempt.request is None else attempt.request.key
    number = await count_attempt(connection, order.id, given)
    key = given or str(number)
    is_repeat = given is not None and payment is not None and payment.idempotency_key == given
    await begin_attempt(context, connection, order.id, key, attempt.address, is_repeat=is_repeat)
    return key


def _check_payable(order: OrderRow, now: datetime, payment: PaymentRow | None) -> None:
    if order.state == OrderState.EXPIRED:
        raise OrderExpired
    if order.state == OrderState.BOOKED:
        raise OrderNotPayable("This order is paid already.")
    if order.state not in UNPAID_STATES:
        raise OrderNotPayable
    if order.expires_at <= now:
        raise OrderExpired
    if payment is not None and payment.state == PaymentState.CANCELLED:
        raise OrderNotPayable("This order is being given back.")


async def _book_free(context: ServiceContext, order: OrderRow) -> OrderRow:
    """Book an order that costs nothing, without the gateway."""
    now = context.now()
    async with context.database.transaction() as connection:
        booked = await set_order_state(
            connection, order.id, OrderState.BOOKED, leaving=[OrderState.PAYING], now=now
        )
        if booked:
            await issue_tickets(connection, order.id, now)
            await set_payment_state(
                connection, order.id, PaymentState.CAPTURED, leaving=_OPEN, now=now, captured_minor=0
            )
            await write_task(connection, Topic.ORDER_BOOKED, order.id, {}, now)
        after = await _fresh(connection, order.id)
    if booked:
        context.meters.booked((now - order.created_at).total_seconds())
    return after


async def _fresh(connection: Connection, order_id: UUID) -> OrderRow:
    order = await order_by_id(connection, order_id)
    assert order is not None, "orders are never deleted"
    return order


async def _charge(context: ServiceContext, order: OrderRow, payment_method_id: str | None, key: str) -> Paid:
    try:
        return await _with_gateway(context, order, payment_method_id, key)
    except GatewayUnavailable as error:
        raise OutcomeUnknown from error
    except GatewayError as error:
        if error.code == MISMATCH:
            raise IdempotencyMismatch from error
        if error.code in AMOUNT_FAULTS:
            raise InvalidInput(f"This order's sum cannot be charged. {error.message}") from error
        raise InvalidInput(f"paymentMethodId: {error.message}") from error


async def _with_gateway(
    context: ServiceContext, order: OrderRow, payment_method_id: str | None, key: str
) -> Paid:
    intent = await intent_of(context, order)
    if payment_method_id is not None and intent.status in _CONFIRMABLE:
        intent = await _confirm(context, order, intent, payment_method_id, key)
    settled = await apply_intent(context, order.id, intent)
    if payment_method_id is not None:
        await reading(end_attempt(context.database, order.id, key))
    return Paid(settled, secret_of(intent))


async def intent_of(context: ServiceContext, order: OrderRow) -> Intent:
    """Return the order's one intent at the gateway, created if necessary."""
    payment = await reading(payment_of_order(context.database, order.id))
    if payment is not None and payment.intent_id is not None:
        return await context.gateway.retrieve(payment.intent_id)
    intent = await _create_intent(context, order)
    await reading(set_intent(context.database, order.id, intent.id))
    return intent


async def _create_intent(context: ServiceContext, order: OrderRow) -> Intent:
    """Create the order's intent, which says what a lost order can be written again from."""
    subject = await reading(subject_of(context.database, order.user_id))
    claims = await reading(claims_of_orders(context.database, [order.id]))

    async def create(facts: dict[str, str]) -> Intent:
        return await context.gateway.create_intent(
            order_id=order.id,
            amount_minor=order.total_minor,
            currency=order.currency,
            reference=order.reference,
            idempotency_key=f"intent:{order.id}",
            metadata=facts,
        )

    try:
        return await create(intent_facts(order, subject, claims))
    except GatewayRejected as refusal:
        if refusal.code != MISMATCH:
            raise
        return await create({})  # it was created by a version that stored none


async def _confirm(
    context: ServiceContext, order: OrderRow, intent: Intent, payment_method_id: str, key: str
) -> Intent:
    try:
        return await context.gateway.confirm(
            intent.id,
            payment_method_id,
            idempotency_key=f"confirm:{order.id}:{key}",
            return_url=f"{context.public_url}/orders/{public_id(Kind.ORDER, order.id)}",
        )
    except Declined as declined:
        await _note_decline(context, order, declined, key)
        raise PaymentDeclined(declined.message) from declined
    except GatewayRejected:
        await reading(end_attempt(context.database, order.id, key))
        raise


async def _note_decline(context: ServiceContext, order: OrderRow, declined: Declined, key: str) -> None:
    now = context.now()
    async with context.database.transaction() as connection:
        # Every transaction locks the order before its payment, so that two of them cannot deadlock.
        await lock_order(connection, order.id)
        await set_payment_state(
            connection, order.id, PaymentState.FAILED, leaving=_OPEN, now=now, failure_code=declined.code
        )
        await record_decline(connection, order.id, key, declined.charge_id, now)
        await write_task(connection, Topic.MIRROR_ORDER, order.id, {}, now)
    context.meters.payment(PaymentState.FAILED)
