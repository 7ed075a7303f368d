"""Reserve, pay, release and refund: public ids in, views and domain errors out."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.errors import InvalidInput, SeatsGone
from domain.ids import Kind, Part, parse_id, parse_part, part_id
from resolvers.context import RequestContext
from resolvers.layouts import SeatView, seat_views
from resolvers.orders import OrderView, order_view
from services.ordering.attempt import ReserveRequest
from services.ordering.pay import pay as pay_order
from services.ordering.refund import refund as refund_tickets
from services.ordering.release import release as release_order
from services.ordering.reserve import reserve as reserve_places

# More than any event allows: longer lists are refused before their ids are parsed.
MOST_IDS = 1_000


@dataclass(frozen=True, slots=True)
class SeatsUnavailableView:
    """The taken seats, and free ones in their place."""

    message: str
    seat_ids: list[str]
    alternatives: list[SeatView]


@dataclass(frozen=True, slots=True)
class PaymentStarted:
    """An order with its payment under way."""

    order: OrderView
    client_secret: str | None


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """A requested refund, not yet checked: one of `order_id` and `reference`."""

    order_id: str | None
    reference: str | None
    ticket_ids: Sequence[str] | None
    reason: str | None
    idempotency_key: str | None


async def reserve(context: RequestContext, request: ReserveRequest) -> OrderView | SeatsUnavailableView:
    """Hold all the places or none.

    Raises:
        DomainError: For every reason other than taken seats, which are an answer.
    """
    try:
        row = await reserve_places(context.services, context.viewer, request, address=context.address)
    except SeatsGone as gone:
        return await _unavailable(context, request, gone)
    return order_view(context, row)


def places_of_seats(seat_ids: Sequence[str], event_id: UUID) -> tuple[int, ...]:
    """Return the places of an event's seats by their public ids.

    Raises:
        InvalidInput: An id is malformed, or not of a seat of this event.
    """
    return tuple(parse_part(seat_id, Part.SEAT, event_id)[1] for seat_id in seat_ids)


async def _unavailable(
    context: RequestContext, request: ReserveRequest, gone: SeatsGone
) -> SeatsUnavailableView:
    sale = await context.services.sale(request.event_id)
    seat_map = await context.services.seat_map(sale.seat_map_version)
    seats = (seat_map.seats[place] for place in gone.alternatives)
    return SeatsUnavailableView(
        gone.message,
        [part_id(Part.SEAT, request.event_id, place) for place in gone.places],
        list(seat_views(request.event_id, seats)),
    )


async def pay(
    context: RequestContext, order_id: str, payment_method_id: str | None, idempotency_key: str | None
) -> PaymentStarted:
    """Start or complete the payment."""
    order = parse_id(order_id, Kind.ORDER)
    started = await pay_order(
        context.services, context.viewer, order, payment_method_id, idempotency_key, address=context.address
    )
    return PaymentStarted(order_view(context, started.order), started.client_secret)


async def release(context: RequestContext, order_id: str) -> OrderView:
    """Release the places of an unpaid order."""
    row = await release_order(context.services, context.viewer, parse_id(order_id, Kind.ORDER))
    return order_view(context, row)


async def refund(context: RequestContext, request: RefundRequest) -> OrderView:
    """Refund an order or some of its tickets."""
    tickets = None if request.ticket_ids is None else _tickets(request.ticket_ids)
    row = await refund_tickets(
        context.services,
        context.viewer,
        _order_to_refund(request),
        tickets,
        request.reason,
        request.idempotency_key,
    )
    return order_view(context, row)


def _order_to_refund(request: RefundRequest) -> UUID | str:
    if request.order_id is not None and request.reference is None:
        return parse_id(request.order_id, Kind.ORDER)
    if request.reference is not None and request.order_id is None:
        return request.reference
    raise InvalidInput("orderId: give either orderId or reference, and not both.")


def _tickets(ticket_ids: Sequence[str]) -> tuple[UUID, ...]:
    if len(ticket_ids) > MOST_IDS:
        raise InvalidInput(f"ticketIds: at most {MOST_IDS} tickets at once.")
    return tuple(parse_id(ticket_id, Kind.TICKET) for ticket_id in ticket_ids)
