"""Compares the intents of the payment gateway with the orders."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

from db.queries.doctor import OrderStanding, standings_of
from domain.ids import Kind, public_id
from domain.outbox import Topic
from domain.states import UNPAID_STATES, OrderState, PaymentState
from payments.gateway import GatewayError, Intent, IntentStatus
from services.context import ServiceContext, reading
from services.doctor import repair
from services.ordering.intent_facts import order_of

_MOST_INTENTS = 100_000
_BATCH = 1_000
_LIVE = (*UNPAID_STATES, OrderState.BOOKED)
_UNTOUCHED = (IntentStatus.REQUIRES_PAYMENT_METHOD, IntentStatus.REQUIRES_CONFIRMATION)

Repair = Callable[[ServiceContext], Awaitable[None]]
Found = tuple[str, str, str, str, Repair | None]
"""Kind, subject, sentence, advice and repair"""
Progress = Callable[[int, int, str], None]
"""Called with the number done, the total (0: unknown) and the kind of things"""


def no_progress(_done: int, _total: int, _what: str) -> None:
    """Report nothing."""


async def examine_payments(
    context: ServiceContext, since: timedelta, progress: Progress = no_progress
) -> list[Found]:
    """Return the differences between the gateway and the orders, but for orders with an outbox task."""
    try:
        intents = await context.gateway.recent_intents(context.now() - since, most=_MOST_INTENTS)
    except GatewayError as fault:
        return [("away", "Stripe", f"It does not answer: {fault.message}", "Look again when it does.", None)]
    by_order: dict[UUID, list[Intent]] = defaultdict(list)
    for intent in intents:
        if intent.order_id is not None:
            by_order[intent.order_id].append(intent)
    found: list[Found] = []
    order_ids = list(by_order)
    for first in range(0, len(order_ids), _BATCH):
        batch = order_ids[first : first + _BATCH]
        orders = {one.id: one for one in await reading(standings_of(context.database, batch))}
        for order_id in batch:
            order, of_order = orders.get(order_id), by_order[order_id]
            found += (
                _without_order(context, order_id, of_order) if order is None else _of_order(order, of_order)
            )
        progress(first + len(batch), len(order_ids), "payments")
    return found


def _without_order(context: ServiceContext, order_id: UUID, intents: Sequence[Intent]) -> list[Found]:
    subject = public_id(Kind.ORDER, order_id)
    return [
        (
            f"unknown order, {one.id}",
            subject,
            f"Stripe has {_money(one)} for an order that is not in the database ({one.id}).",
            *_recovering(context, one),
        )
        for one in intents
        if one.kept_minor or one.status is IntentStatus.REQUIRES_CAPTURE
    ]


def _recovering(context: ServiceContext, intent: Intent) -> tuple[str, Repair | None]:
    if order_of(intent, context.now(), context.payment_time) is None:
        return "Cancel or refund it at Stripe, once it is sure that the order is in no backup either.", None
    return "", lambda context: repair.recover(context, intent)


def _money(intent: Intent) -> str:
    if intent.status is IntentStatus.REQUIRES_CAPTURE:
        return f"{intent.amount_capturable_minor} {intent.currency} (minor units) on hold"
    return f"{intent.kept_minor} {intent.currency} (minor units)"


def _of_order(order: OrderStanding, intents: Sequence[Intent]) -> list[Found]:
    if order.has_task:
        return []
    own = next((one for one in intents if one.id == order.intent_id), None)
    if own is None and order.intent_id is None and len(intents) == 1:
        own = intents[0]
    found = [] if own is None else _of_own(order, own)
    return found + [
        (
            f"second intent, {one.id}",
            public_id(Kind.ORDER, order.id),
            f"Order {order.reference} has a second intent ({one.id}, {one.status}) with {_money(one)}.",
            "Cancel or refund it at Stripe.",
            None,
        )
        for one in intents
        if one is not own and one.status not in (*_UNTOUCHED, IntentStatus.CANCELLED)
    ]


def _of_own(order: OrderStanding, intent: Intent) -> list[Found]:
    sentence = _sentence(order, intent)
    if sentence is None:
        return []
    repairing = _repair(order, intent)
    advice = (
        "" if repairing else "Look at the order and at Stripe's dashboard; book, capture or refund by hand."
    )
    return [("payment", public_id(Kind.ORDER, order.id), sentence, advice, repairing)]


def _sentence(order: OrderStanding, intent: Intent) -> str | None:
    """Return the difference between an order and its intent in a sentence; None where they agree."""
    name, booked = f"Order {order.reference} is {order.state}", order.state == OrderState.BOOKED
    match intent.status:
        case IntentStatus.SUCCEEDED:
            due = _due(order, intent)
            if intent.kept_minor == due:
                return None
            return f"{name} and should have paid {due}, but Stripe keeps {_money(intent)}."
        case IntentStatus.REQUIRES_CAPTURE:
            what = "which nothing is going to capture" if booked else "which nothing is going to let go"
            return f"{name}, and Stripe has {_money(intent)}, {what}."
        case IntentStatus.CANCELLED:
            void = f"{name}, but its payment is void at Stripe."
            return void if order.state in _LIVE else None
        case _ if booked:
            return f"{name}, but its payment at Stripe is {intent.status}."
        case _ if order.state not in _LIVE:
            return f"{name}, but can still be paid at Stripe ({intent.status})."
    return None


def _due(order: OrderStanding, intent: Intent) -> int:
    """Return what Stripe should have captured and not refunded.

    A dispute leaves both as they are: what it took is out of reach, and a refund that it blocks is to come.
    """
    if order.state == OrderState.BOOKED:
        return order.total_minor - order.refunds_minor + order.waiting_minor
    return min(intent.kept_minor, order.waiting_minor + order.lost_minor)


def _repair(order: OrderStanding, intent: Intent) -> Repair | None:
    """Return the repair of the difference; None where only a person can decide."""
    fits = intent.amount_minor == order.total_minor and intent.currency == order.currency
    live = order.state in UNPAID_STATES
    match intent.status:
        case IntentStatus.REQUIRES_CAPTURE if order.state == OrderState.BOOKED:
            return (
                _write_task(Topic.CAPTURE_PAYMENT, order, intent)
                if _is(order, PaymentState.AUTHORIZED)
                else None
            )
        case IntentStatus.REQUIRES_CAPTURE if not live:
            return _write_task(Topic.VOID_PAYMENT, order, intent)
        case IntentStatus.SUCCEEDED if order.payment_state in _NOT_CAPTURED and fits:
            return lambda context: repair.settle(context, order.id, intent)
        case IntentStatus.SUCCEEDED if intent.kept_minor < _due(order, intent):
            return lambda context: repair.take_in(context, order.id)
        case IntentStatus.SUCCEEDED:
            return None
        case IntentStatus.CANCELLED if order.state == OrderState.BOOKED and not _is(
            order, PaymentState.AUTHORIZED
        ):
            return None
        case IntentStatus.CANCELLED | IntentStatus.REQUIRES_CAPTURE:
            return lambda context: repair.settle(context, order.id, intent)
        case _ if order.state == OrderState.BOOKED:
            return None
        case _:
            return _write_task(Topic.VOID_PAYMENT, order, intent)


_NOT_CAPTURED = (
    PaymentState.REQUIRES_ACTION,
    PaymentState.PROCESSING,
    PaymentState.FAILED,
    PaymentState.AUTHORIZED,
    PaymentState.CANCELLED,
)


def _is(order: OrderStanding, state: PaymentState) -> bool:
    return order.payment_state == state


def _write_task(topic: Topic, order: OrderStanding, intent: Intent) -> Repair:
    return lambda context: repair.write_task_again(context, topic, order.id, intent)
