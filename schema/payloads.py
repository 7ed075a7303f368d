"""The payloads of mutations: a success, or an error that a client can act on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from domain.errors import DomainError
from domain.errors import LimitExceeded as LimitExceededError
from domain.errors import SlowDown as SlowDownError
from resolvers.layouts import SeatView
from resolvers.ordering import SeatsUnavailableView
from resolvers.orders import OrderView
from resolvers.tickets import TicketView
from resolvers.views import EventRow, UserRow
from resolvers.waiting_rooms import QueueEntryView
from schema.enums import UserErrorCode
from schema.events import Event
from schema.layouts import Seat
from schema.nodes import UserError
from schema.orders import Order, Ticket, User
from schema.waiting_room import QueueEntry


@strawberry.type(description="A refusal without a member of its own")
class RequestRefused(UserError):
    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, RequestRefused)


@strawberry.type(description="LIMIT_EXCEEDED: maxTicketsPerOrder or maxTicketsPerPerson")
class LimitExceeded(UserError):
    limit: int = strawberry.field(description="The limit that this would exceed, in tickets")
    have: int = strawberry.field(description="Tickets of it that the person has already, held and booked")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, LimitExceeded)


@strawberry.type(description="SLOW_DOWN: that was too often; the same request is accepted later")
class SlowDown(UserError):
    retry_after_seconds: int = strawberry.field(description="Seconds to wait before the next try")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, SlowDown)


@strawberry.type(description="Someone was faster")
class SeatsUnavailable(UserError):
    seat_ids: Annotated[
        Sequence[str],
        strawberry.field(graphql_type=list[strawberry.ID], description="The wanted seats that are gone"),
    ]
    alternatives: Annotated[
        Sequence[SeatView],
        strawberry.field(
            graphql_type=list[Seat],
            description="As many seats, the same price level where possible, free when this was "
            "answered; none are held",
        ),
    ]

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, SeatsUnavailable)


@strawberry.type(description="The places are held; the clock runs")
class ReserveSuccess:
    order: Annotated[
        OrderView, strawberry.field(graphql_type=Order, description="RESERVED until Order.expiresAt")
    ]


@strawberry.type(description="The payment is started, or done")
class PaySuccess:
    order: Annotated[
        OrderView,
        strawberry.field(
            graphql_type=Order,
            description="PAYING; BOOKED once the payment is authorised; RESERVED, with the same "
            "deadline, while no payment method was given",
        ),
    ]
    client_secret: str | None = strawberry.field(
        description="For Stripe.js, where the client confirms or 3-D Secure asks; null where nothing is to "
        "be confirmed: a free order, or one that is paid"
    )


@strawberry.type(description="The places are free again")
class ReleaseOrderSuccess:
    order: Annotated[OrderView, strawberry.field(graphql_type=Order, description="CANCELLED")]


@strawberry.type(description="The codes and documents of the last generation are void")
class ReissueTicketSuccess:
    ticket: Annotated[TicketView, strawberry.field(graphql_type=Ticket, description="The new generation")]


@strawberry.type(description="The refund is decided; the money follows")
class RefundOrderSuccess:
    order: Annotated[
        OrderView,
        strawberry.field(graphql_type=Order, description="BOOKED while tickets are left, then REFUNDED"),
    ]


@strawberry.type(description="A guest may buy now")
class CreateGuestSessionSuccess:
    token: str = strawberry.field(description="For `Authorization: Bearer`; scope buy")
    expires_at: datetime = strawberry.field(description="When the token ends, in two hours")
    user: Annotated[UserRow, strawberry.field(graphql_type=User, description="The guest")]


@strawberry.type(description="The event as it is now")
class EventSuccess:
    event: Annotated[EventRow, strawberry.field(graphql_type=Event, description="The event")]


@strawberry.type(description="In line")
class JoinQueueSuccess:
    entry: Annotated[
        QueueEntryView, strawberry.field(graphql_type=QueueEntry, description="Where the caller stands")
    ]


@strawberry.type(description="Out of line")
class LeaveQueueSuccess:
    left: bool = strawberry.field(description="False where the caller was not in line")


ReserveResult = Annotated[
    ReserveSuccess | SeatsUnavailable | LimitExceeded | SlowDown | RequestRefused,
    strawberry.union("ReserveResult", description="An order, seats that are gone, or why not"),
]
PayResult = Annotated[
    PaySuccess | SlowDown | RequestRefused,
    strawberry.union("PayResult", description="A payment, or why not"),
]
ReleaseOrderResult = Annotated[
    ReleaseOrderSuccess | RequestRefused,
    strawberry.union("ReleaseOrderResult", description="The ended order, or why not"),
]
ReissueTicketResult = Annotated[
    ReissueTicketSuccess | RequestRefused,
    strawberry.union("ReissueTicketResult", description="The ticket, or why not"),
]
RefundOrderResult = Annotated[
    RefundOrderSuccess | RequestRefused,
    strawberry.union("RefundOrderResult", description="The order, or why not"),
]
CreateGuestSessionResult = Annotated[
    CreateGuestSessionSuccess | SlowDown | RequestRefused,
    strawberry.union("CreateGuestSessionResult", description="A token, or why not"),
]
EventResult = Annotated[
    EventSuccess | RequestRefused,
    strawberry.union("EventResult", description="The event, or why not"),
]
JoinQueueResult = Annotated[
    JoinQueueSuccess | RequestRefused,
    strawberry.union("JoinQueueResult", description="A place in line, or why not"),
]
LeaveQueueResult = Annotated[
    LeaveQueueSuccess | RequestRefused,
    strawberry.union("LeaveQueueResult", description="Done, or why not"),
]


def refused(error: DomainError) -> RequestRefused:
    """The payload of a domain error that has no member of its own in the mutation's union."""
    return RequestRefused(code=UserErrorCode(error.code), message=error.message)


def refused_or_slowed(error: DomainError) -> SlowDown | RequestRefused:
    """The payload of a domain error, in the union of a mutation that may ask the client to wait."""
    if not isinstance(error, SlowDownError):
        return refused(error)
    return SlowDown(
        code=UserErrorCode(error.code), message=error.message, retry_after_seconds=error.retry_after_seconds
    )


def refused_reserve(error: DomainError) -> LimitExceeded | SlowDown | RequestRefused:
    """The payload of a domain error in the union of `reserve`."""
    if not isinstance(error, LimitExceededError):
        return refused_or_slowed(error)
    return LimitExceeded(
        code=UserErrorCode(error.code), message=error.message, limit=error.limit, have=error.have
    )


def seats_unavailable(view: SeatsUnavailableView) -> SeatsUnavailable:
    """The payload of taken seats, with free ones in their place."""
    return SeatsUnavailable(
        code=UserErrorCode.SEATS_UNAVAILABLE,
        message=view.message,
        seat_ids=view.seat_ids,
        alternatives=view.alternatives,
    )
