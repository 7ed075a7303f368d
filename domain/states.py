"""The states of orders, claims, payments, refunds and events, and the transitions of orders."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class OrderState(StrEnum):
    """RESERVED → PAYING → BOOKED → REFUNDED; RESERVED, PAYING → EXPIRED or CANCELLED."""

    RESERVED = "RESERVED"
    PAYING = "PAYING"
    BOOKED = "BOOKED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"


UNPAID_STATES = (OrderState.RESERVED, OrderState.PAYING)
"""The states of an order that is live and not booked."""


# `check_transitions` compares what Python writes with this table; for the statements whose states are part
# of their text, tests/integration/db/test_order_transitions.py does.
ORDER_TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    OrderState.RESERVED: frozenset(
        {OrderState.PAYING, OrderState.BOOKED, OrderState.EXPIRED, OrderState.CANCELLED}
    ),
    OrderState.PAYING: frozenset({OrderState.BOOKED, OrderState.EXPIRED, OrderState.CANCELLED}),
    OrderState.BOOKED: frozenset({OrderState.REFUNDED}),
    OrderState.EXPIRED: frozenset(),
    OrderState.CANCELLED: frozenset(),
    OrderState.REFUNDED: frozenset(),
}


def check_transitions(leaving: Iterable[str], state: str) -> None:
    """Compare a conditional write, from any of the states `leaving` to `state`, with the table.

    Raises:
        ValueError: the table lacks one of these transitions, so the caller has a defect.
    """
    missing = [before for before in leaving if state not in ORDER_TRANSITIONS[OrderState(before)]]
    if missing:
        raise ValueError(f"no order may go from {' or '.join(missing)} to {state}")


class ClaimState(StrEnum):
    """The state of a claim. HELD, BOOKED and BLOCKED are live; ENDED is final."""

    HELD = "HELD"
    BOOKED = "BOOKED"
    BLOCKED = "BLOCKED"
    ENDED = "ENDED"


class TicketStatus(StrEnum):
    """What an order has of a place: HELD until it is paid, ISSUED, REFUNDED, or VOID."""

    HELD = "HELD"
    ISSUED = "ISSUED"
    REFUNDED = "REFUNDED"
    VOID = "VOID"


_TICKET_OF_CLAIM = {ClaimState.HELD.value: TicketStatus.HELD, ClaimState.BOOKED.value: TicketStatus.ISSUED}
_PAID_STATES = frozenset({OrderState.BOOKED.value, OrderState.REFUNDED.value})


def ticket_status(claim_state: str, order_status: str) -> TicketStatus:
    """The status of a ticket, of its claim and of its order as it is now.

    Only a booked order's claims end by a refund; those of an order that lapsed or was cancelled are VOID.
    """
    if order_status in (OrderState.EXPIRED, OrderState.CANCELLED):
        return TicketStatus.VOID
    ended = TicketStatus.REFUNDED if order_status in _PAID_STATES else TicketStatus.VOID
    return _TICKET_OF_CLAIM.get(claim_state, ended)


class PaymentState(StrEnum):
    """The state of a payment, as its buyer sees it."""

    REQUIRES_ACTION = "REQUIRES_ACTION"
    PROCESSING = "PROCESSING"
    AUTHORIZED = "AUTHORIZED"
    CAPTURED = "CAPTURED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"


class CardAttemptState(StrEnum):
    """The state of one attempt to pay with a card: PENDING while the gateway is asked."""

    PENDING = "PENDING"
    DECLINED = "DECLINED"
    ACCEPTED = "ACCEPTED"


class TicketLimit(StrEnum):
    """The limit that a new order would exceed: of its person's tickets, or of its network's unpaid ones."""

    PERSON = "PERSON"
    NETWORK = "NETWORK"


class RefundState(StrEnum):
    """The state of a refund: DECIDED with the order's change, SENT by the outbox, FAILED after bounces."""

    DECIDED = "DECIDED"
    SENT = "SENT"
    FAILED = "FAILED"


class RefundStatus(StrEnum):
    """What has become of a refund, as its buyer sees it."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


REFUND_STATUS: dict[str, RefundStatus] = {
    RefundState.DECIDED: RefundStatus.PENDING,
    RefundState.SENT: RefundStatus.SUCCEEDED,
    RefundState.FAILED: RefundStatus.FAILED,
}


class SalesChannel(StrEnum):
    """Where an order was made: on the web, by the organiser's staff, or by a partner's program."""

    WEB = "WEB"
    BOX_OFFICE = "BOX_OFFICE"
    PARTNER = "PARTNER"


class DisputeState(StrEnum):
    """The state of a dispute of a payment.

    INQUIRY: the bank asks, and no money is taken. OPEN: the money is taken until the bank decides.
    LOST: it is gone. WON and CLOSED: it is ours, as before.
    """

    INQUIRY = "INQUIRY"
    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"
    CLOSED = "CLOSED"


class EventState(StrEnum):
    """The stored state of an event; its status also depends on the time and the seats."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    CANCELLED = "CANCELLED"


class EventStatus(StrEnum):
    """The status of an event, as the public sees it."""

    DRAFT = "DRAFT"
    ANNOUNCED = "ANNOUNCED"
    ON_SALE = "ON_SALE"
    SOLD_OUT = "SOLD_OUT"
    CANCELLED = "CANCELLED"
    ENDED = "ENDED"


# A module's name is looked up four times faster than an enum's member.
_DRAFT, _CANCELLED = EventState.DRAFT, EventState.CANCELLED
_SOLD_OUT, _ON_SALE = EventStatus.SOLD_OUT, EventStatus.ON_SALE
# An event without an end time is over this long after its start.
ASSUMED_DURATION = timedelta(hours=6)


class Sale(Protocol):
    """The fields of an event that decide whether it can be bought."""

    @property
    def state(self) -> str: ...
    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime | None: ...
    @property
    def on_sale_at(self) -> datetime | None: ...
    @property
    def off_sale_at(self) -> datetime | None: ...


def event_status(event: Sale, now: datetime, *, sold_out: bool) -> EventStatus:
    """The public status at a time."""
    if event.state == _DRAFT:
        return EventStatus.DRAFT
    if event.state == _CANCELLED:
        return EventStatus.CANCELLED
    if now >= (event.ends_at or event.starts_at + ASSUMED_DURATION):
        return EventStatus.ENDED
    if event.on_sale_at is not None and now < event.on_sale_at:
        return EventStatus.ANNOUNCED
    return _SOLD_OUT if sold_out else _ON_SALE


def is_selling(event: Sale, now: datetime) -> bool:
    """Whether seats can be held at a time: the event is published, within its sale window and not over."""
    if event_status(event, now, sold_out=False) is not EventStatus.ON_SALE:
        return False
    return event.off_sale_at is None or now < event.off_sale_at


def next_sale_change(event: Sale, now: datetime) -> datetime | None:
    """The next time at which the clock changes the status, or whether seats can be held; None for never."""
    if event.state != EventState.PUBLISHED:
        return None
    ends_at = event.ends_at or event.starts_at + ASSUMED_DURATION
    times = (event.on_sale_at, event.off_sale_at, ends_at)
    return min((at for at in times if at is not None and now < at <= ends_at), default=None)
