"""The GraphQL enums."""

from enum import StrEnum

import strawberry

from domain.layout import SectionKind
from domain.price_lines import PriceLineKind
from domain.states import (
    EventStatus,
    OrderState,
    PaymentState,
    RefundStatus,
    SalesChannel,
    TicketStatus,
)
from resolvers.views import EventOrder


class SeatStatus(StrEnum):
    """The status of a seat."""

    AVAILABLE = "AVAILABLE"
    HELD = "HELD"
    BOOKED = "BOOKED"
    BLOCKED = "BLOCKED"


class UserErrorCode(StrEnum):
    """Why a mutation was refused."""

    SEATS_UNAVAILABLE = "SEATS_UNAVAILABLE"
    ORPHAN_SEAT = "ORPHAN_SEAT"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    NOT_ON_SALE = "NOT_ON_SALE"
    QUEUE_TOKEN_REQUIRED = "QUEUE_TOKEN_REQUIRED"  # noqa: S105 - a code, not a secret
    QUEUE_TOKEN_INVALID = "QUEUE_TOKEN_INVALID"  # noqa: S105 - a code, not a secret
    ORDER_EXPIRED = "ORDER_EXPIRED"
    ORDER_NOT_PAYABLE = "ORDER_NOT_PAYABLE"
    PAYMENT_DECLINED = "PAYMENT_DECLINED"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    NOT_FOUND = "NOT_FOUND"
    INVALID_INPUT = "INVALID_INPUT"
    NOT_ENOUGH_SEATS = "NOT_ENOUGH_SEATS"
    SLOW_DOWN = "SLOW_DOWN"
    CHALLENGE_REQUIRED = "CHALLENGE_REQUIRED"


class DisputeStatus(StrEnum):
    """The status of a dispute that an organiser has to know of."""

    INQUIRY = "INQUIRY"
    OPEN = "OPEN"
    LOST = "LOST"


class WaitingRoomPhase(StrEnum):
    """The phase of a waiting room."""

    CLOSED = "CLOSED"
    PRE_QUEUE = "PRE_QUEUE"
    OPEN = "OPEN"


class QueueState(StrEnum):
    """The state of one queue entry."""

    WAITING = "WAITING"
    ADMITTED = "ADMITTED"
    EXPIRED = "EXPIRED"
    LEFT = "LEFT"


class SearchSort(StrEnum):
    """The order of search results."""

    RELEVANCE = "RELEVANCE"
    STARTS_AT = "STARTS_AT"
    PRICE = "PRICE"
    DISTANCE = "DISTANCE"


class SearchSource(StrEnum):
    """Which engine answered."""

    INDEX = "INDEX"
    DATABASE = "DATABASE"


class SuggestionKind(StrEnum):
    """The kind of a completion."""

    EVENT = "EVENT"
    PERFORMER = "PERFORMER"
    VENUE = "VENUE"
    CITY = "CITY"


strawberry.enum(EventOrder, description="How a page of events is sorted; ids break ties")
strawberry.enum(
    EventStatus,
    description="DRAFT (its organiser alone sees it), ANNOUNCED (not on sale yet), ON_SALE, SOLD_OUT, "
    "CANCELLED, ENDED",
)
strawberry.enum(SectionKind, description="SEATED (numbered seats) or GENERAL_ADMISSION (capacity alone)")
strawberry.enum(
    SeatStatus,
    description="AVAILABLE, HELD (in somebody's order, unpaid), BOOKED (sold), BLOCKED (not for sale)",
)
strawberry.enum(
    OrderState,
    name="OrderStatus",
    description="RESERVED (held, unpaid), PAYING (payment started, hold extended once), BOOKED, EXPIRED, "
    "CANCELLED, REFUNDED",
)
strawberry.enum(
    TicketStatus,
    description="HELD (not paid yet), ISSUED, REFUNDED, VOID (lapsed, given back or cancelled)",
)
strawberry.enum(
    RefundStatus,
    description="PENDING (decided, the money follows), SUCCEEDED, FAILED (the bank returned it repeatedly)",
)
strawberry.enum(
    DisputeStatus,
    description="INQUIRY (the bank asks, the money is still here), OPEN (the bank has the money until it "
    "decides, and refunds wait), LOST (the money is gone)",
)
strawberry.enum(PriceLineKind, description="What a line of an order is for; a DISCOUNT is negative")
strawberry.enum(
    SalesChannel,
    description="WEB (a buyer's client), BOX_OFFICE (the organiser's staff), PARTNER (a partner's program)",
)
strawberry.enum(
    PaymentState,
    name="PaymentStatus",
    description="REQUIRES_ACTION (a card or 3-D Secure is wanted), PROCESSING, AUTHORIZED (held on the "
    "card), "
    "CAPTURED (paid), FAILED (declined; another card may be tried), CANCELLED, REFUNDED",
)
strawberry.enum(UserErrorCode, description="Why a mutation was refused; stable, for programs")
strawberry.enum(
    WaitingRoomPhase,
    description="CLOSED (off), PRE_QUEUE (open before the sale; drawn in random order when it starts), "
    "OPEN "
    "(first come, first served)",
)
strawberry.enum(
    QueueState,
    description="WAITING, ADMITTED (shop now), EXPIRED (the admission ran out), LEFT",
)
strawberry.enum(
    SearchSort,
    description="RELEVANCE; STARTS_AT soonest first; PRICE cheapest first; DISTANCE nearest first "
    "(needs near)",
)
strawberry.enum(SearchSource, description="INDEX, or DATABASE while the index is away")
strawberry.enum(SuggestionKind, description="What a completion names")

__all__ = [
    "EventOrder",
    "EventStatus",
    "OrderState",
    "PaymentState",
    "PriceLineKind",
    "QueueState",
    "RefundStatus",
    "SalesChannel",
    "SearchSort",
    "SearchSource",
    "SeatStatus",
    "SectionKind",
    "SuggestionKind",
    "TicketStatus",
    "UserErrorCode",
    "WaitingRoomPhase",
]
