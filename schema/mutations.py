"""The Mutation root; each mutation has one input and one union."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import strawberry

from domain.errors import DomainError
from resolvers import guests, ordering, organising, tickets, waiting_rooms
from resolvers.ordering import PaymentStarted, SeatsUnavailableView
from resolvers.orders import OrderView
from resolvers.views import EventRow
from schema.context import Info
from schema.fields import mutation
from schema.inputs import (
    BlockSeatsInput,
    ConfigureWaitingRoomInput,
    CreateEventInput,
    CreateGuestSessionInput,
    EventIdInput,
    JoinQueueInput,
    LeaveQueueInput,
    PayInput,
    RefundOrderInput,
    ReissueTicketInput,
    ReleaseOrderInput,
    ReserveInput,
    UpdateEventInput,
)
from schema.payloads import (
    CreateGuestSessionResult,
    CreateGuestSessionSuccess,
    EventResult,
    EventSuccess,
    JoinQueueResult,
    JoinQueueSuccess,
    LeaveQueueResult,
    LeaveQueueSuccess,
    LimitExceeded,
    PayResult,
    PaySuccess,
    RefundOrderResult,
    RefundOrderSuccess,
    ReissueTicketResult,
    ReissueTicketSuccess,
    ReleaseOrderResult,
    ReleaseOrderSuccess,
    RequestRefused,
    ReserveResult,
    ReserveSuccess,
    SeatsUnavailable,
    SlowDown,
    refused,
    refused_or_slowed,
    refused_reserve,
    seats_unavailable,
)
from schema.selections import reserve_request
from schema.writing import event_changes, event_draft, refund_request
from services.identity.guests import GuestSession

Row = TypeVar("Row")
Success = TypeVar("Success")
Refused = TypeVar("Refused")


async def _answer(work: Awaitable[Row], success: Callable[[Row], Success]) -> Success | RequestRefused:
    """The mutation's payload: the success, or a domain error as data. Request errors are raised."""
    return await _answer_of(work, success, refused)


async def _answer_of(
    work: Awaitable[Row], success: Callable[[Row], Success], refusal: Callable[[DomainError], Refused]
) -> Success | Refused:
    """As `_answer`, with a domain error as `refusal` presents it."""
    try:
        return success(await work)
    except DomainError as error:
        return refusal(error)


@strawberry.type(description="Writing. Every mutation takes one input and answers with a union of its own")
class Mutation:
    @mutation(
        graphql_type=ReserveResult,
        description="Holds all the seats or none, creates the order, starts the clock",
    )
    @staticmethod
    async def reserve(
        info: Info,
        input: Annotated[ReserveInput, strawberry.argument(description="What to hold")],
    ) -> ReserveSuccess | SeatsUnavailable | LimitExceeded | SlowDown | RequestRefused:
        async def work() -> OrderView | SeatsUnavailableView:
            return await ordering.reserve(info.context, reserve_request(input))

        return await _answer_of(work(), _reserved, refused_reserve)

    @mutation(
        graphql_type=PayResult,
        description="Starts (or, with a payment method, completes) the payment and extends the hold once",
    )
    @staticmethod
    async def pay(
        info: Info,
        input: Annotated[PayInput, strawberry.argument(description="How to pay")],
    ) -> PaySuccess | SlowDown | RequestRefused:
        work = ordering.pay(info.context, input.order_id, input.payment_method_id, input.idempotency_key)
        return await _answer_of(work, _paid, refused_or_slowed)

    @mutation(
        graphql_type=ReleaseOrderResult, description="Gives back a RESERVED or PAYING order's seats at once"
    )
    @staticmethod
    async def release_order(
        info: Info,
        input: Annotated[ReleaseOrderInput, strawberry.argument(description="Which order")],
    ) -> ReleaseOrderSuccess | RequestRefused:
        work = ordering.release(info.context, input.order_id)
        return await _answer(work, lambda order: ReleaseOrderSuccess(order=order))

    @mutation(
        graphql_type=ReissueTicketResult,
        description="A new generation of a ticket: the codes and documents of the last are void at once",
    )
    @staticmethod
    async def reissue_ticket(
        info: Info,
        input: Annotated[ReissueTicketInput, strawberry.argument(description="Which ticket")],
    ) -> ReissueTicketSuccess | RequestRefused:
        work = tickets.reissue(info.context, input.ticket_id)
        return await _answer(work, lambda ticket: ReissueTicketSuccess(ticket=ticket))

    @mutation(graphql_type=JoinQueueResult, description="Stands in line; again: the same place")
    @staticmethod
    async def join_queue(
        info: Info,
        input: Annotated[JoinQueueInput, strawberry.argument(description="Which line")],
    ) -> JoinQueueSuccess | RequestRefused:
        work = waiting_rooms.join(info.context, input.event_id, input.challenge_solution)
        return await _answer(work, lambda entry: JoinQueueSuccess(entry=entry))

    @mutation(graphql_type=LeaveQueueResult, description="Gives up the place in line, or the admission")
    @staticmethod
    async def leave_queue(
        info: Info,
        input: Annotated[LeaveQueueInput, strawberry.argument(description="Which line")],
    ) -> LeaveQueueSuccess | RequestRefused:
        work = waiting_rooms.leave(info.context, input.event_id)
        return await _answer(work, lambda left: LeaveQueueSuccess(left=left))

    @mutation(
        graphql_type=CreateGuestSessionResult,
        description="Guest checkout: a short-lived token for a buyer without an account",
    )
    @staticmethod
    async def create_guest_session(
        info: Info,
        input: Annotated[CreateGuestSessionInput, strawberry.argument(description="Who is buying")],
    ) -> CreateGuestSessionSuccess | SlowDown | RequestRefused:
        work = guests.create_guest_session(info.context, input.email, input.name, input.challenge_solution)
        return await _answer_of(work, _guest, refused_or_slowed)

    @mutation(
        graphql_type=EventResult, description="A draft, seen by the caller alone. Needs the scope organise"
    )
    @staticmethod
    async def create_event(
        info: Info,
        input: Annotated[CreateEventInput, strawberry.argument(description="The event")],
    ) -> EventSuccess | RequestRefused:
        work = organising.create(info.context, lambda: event_draft(input), input.idempotency_key)
        return await _answer(work, _event)

    @mutation(graphql_type=EventResult, description="Changes what is given. Needs the scope organise")
    @staticmethod
    async def update_event(
        info: Info,
        input: Annotated[UpdateEventInput, strawberry.argument(description="What changes")],
    ) -> EventSuccess | RequestRefused:
        work = organising.update(
            info.context,
            input.event_id,
            event_changes(input),
            input.idempotency_key,
            notify_buyers=bool(input.notify_buyers),
        )
        return await _answer(work, _event)

    @mutation(
        graphql_type=EventResult,
        description="DRAFT to ANNOUNCED or ON_SALE, as onSaleAt says. Needs the scope organise",
    )
    @staticmethod
    async def publish_event(
        info: Info,
        input: Annotated[EventIdInput, strawberry.argument(description="Which event")],
    ) -> EventSuccess | RequestRefused:
        return await _answer(organising.publish(info.context, input.event_id), _event)

    @mutation(
        graphql_type=EventResult,
        description="Refunds every booked order, releases every hold. Needs the scope organise",
    )
    @staticmethod
    async def cancel_event(
        info: Info,
        input: Annotated[EventIdInput, strawberry.argument(description="Which event")],
    ) -> EventSuccess | RequestRefused:
        return await _answer(organising.cancel(info.context, input.event_id), _event)

    @mutation(
        graphql_type=EventResult,
        description="Takes seats out of the sale (house seats, kills) or puts them back; a held or "
        "booked seat is "
        "refused. Needs the scope organise",
    )
    @staticmethod
    async def block_seats(
        info: Info,
        input: Annotated[BlockSeatsInput, strawberry.argument(description="Which seats")],
    ) -> EventSuccess | RequestRefused:
        work = organising.block(info.context, input.event_id, list(input.seat_ids), blocked=input.blocked)
        return await _answer(work, _event)

    @mutation(
        graphql_type=EventResult, description="Opens, closes or tunes the line. Needs the scope organise"
    )
    @staticmethod
    async def configure_waiting_room(
        info: Info,
        input: Annotated[ConfigureWaitingRoomInput, strawberry.argument(description="The settings")],
    ) -> EventSuccess | RequestRefused:
        work = waiting_rooms.configure(
            info.context,
            input.event_id,
            enabled=input.enabled,
            admit_per_minute=input.admit_per_minute,
            max_active=input.max_active,
            admission_seconds=input.admission_seconds,
            pre_queue_seconds=input.pre_queue_seconds,
        )
        return await _answer(work, _event)

    @mutation(
        graphql_type=RefundOrderResult,
        description="Full or by ticket; the seats go back on sale. Needs the scope organise",
    )
    @staticmethod
    async def refund_order(
        info: Info,
        input: Annotated[RefundOrderInput, strawberry.argument(description="What to refund")],
    ) -> RefundOrderSuccess | RequestRefused:
        work = ordering.refund(info.context, refund_request(input))
        return await _answer(work, lambda order: RefundOrderSuccess(order=order))


def _reserved(answer: OrderView | SeatsUnavailableView) -> ReserveSuccess | SeatsUnavailable:
    if isinstance(answer, SeatsUnavailableView):
        return seats_unavailable(answer)
    return ReserveSuccess(order=answer)


def _paid(started: PaymentStarted) -> PaySuccess:
    return PaySuccess(order=started.order, client_secret=started.client_secret)


def _guest(session: GuestSession) -> CreateGuestSessionSuccess:
    return CreateGuestSessionSuccess(token=session.token, expires_at=session.expires_at, user=session.user)


def _event(event: EventRow) -> EventSuccess:
    return EventSuccess(event=event)
