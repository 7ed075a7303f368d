"""Tickets: what orders have of an event's places."""

from dataclasses import dataclass

from db.queries.events import EventRow
from db.queries.orders import ClaimRow, claim_by_ticket, order_by_id
from domain.ids import Kind, Part, parse_id, part_id, public_id
from domain.layout import PriceLevel, SeatMap
from domain.money import Money
from domain.states import TicketStatus, ticket_status
from resolvers.context import RequestContext
from resolvers.events import requested_id
from resolvers.layouts import SeatView, SectionView
from resolvers.orders import OrderView, event_of, order_reader, order_view, visible_order
from resolvers.places import seat_of_place, section_of_place
from services.tickets.codes import code_of, document_secret_of
from services.tickets.reissue import reissue_ticket


@dataclass(frozen=True, slots=True)
class TicketDocuments:
    """Where an issued ticket's documents are; the addresses need no other sign-in."""

    pdf_url: str
    qr_url: str
    calendar_url: str
    apple_wallet_url: str | None = None
    google_wallet_url: str | None = None


@dataclass(frozen=True, slots=True)
class TicketView:
    """One ticket of an order, at the price that was agreed at the reservation."""

    claim: ClaimRow
    order: OrderView
    event: EventRow
    seat_map: SeatMap

    @property
    def public_id(self) -> str:
        """E.g. tkt_01jd3x8k2m9q4r5s6t7v8w9x0y."""
        return public_id(Kind.TICKET, self.claim.ticket_id)

    @property
    def place_id(self) -> str:
        """The id of the place that it stands for."""
        return part_id(Part.PLACE, self.claim.event_id, self.claim.place)

    @property
    def section(self) -> SectionView:
        """The section of its place."""
        return section_of_place(self.seat_map, self.claim.place)

    @property
    def seat(self) -> SeatView | None:
        """The numbered seat, if it is one."""
        return seat_of_place(self.seat_map, self.claim.place)

    @property
    def price_level(self) -> PriceLevel:
        """The price level that it was sold at, as it is called now."""
        return self.seat_map.price_levels[self.claim.price_level]

    @property
    def price(self) -> Money:
        """What is paid for it, without the fee."""
        return Money(self.claim.price_minor, self.order.row.currency)

    @property
    def fee(self) -> Money:
        """What is added to its price."""
        return Money(self.claim.fee_minor, self.order.row.currency)

    @property
    def status(self) -> TicketStatus:
        """The status at the order's time."""
        return ticket_status(self.claim.state, self.order.status)

    @property
    def generation(self) -> int:
        """How often it was issued; a code of an earlier generation is void."""
        return self.claim.generation


def code_of_ticket(context: RequestContext, ticket: TicketView) -> str | None:
    """Return the entry code of an issued ticket; None for every other ticket.

    Those who may read the order may see it: its buyer, and the event's organiser.
    """
    return code_of(context.services, ticket.claim)


def documents_of_ticket(context: RequestContext, ticket: TicketView) -> TicketDocuments | None:
    """Return the addresses of an issued ticket's documents; None for every other ticket."""
    secret = document_secret_of(context.services, ticket.claim)
    if secret is None:
        return None
    base = f"{context.services.public_url}/tickets/{secret}"
    return TicketDocuments(f"{base}.pdf", f"{base}.svg", f"{base}.ics")


async def reissue(context: RequestContext, text: str) -> TicketView:
    """Issue a ticket anew, and return it.

    Raises:
        DomainError: It is not an issued ticket of the viewer's.
    """
    claim = await reissue_ticket(context.services, context.viewer, parse_id(text, Kind.TICKET))
    order = await order_by_id(context.services.database, claim.order_id)
    assert order is not None, "a foreign key holds the order"
    view = order_view(context, order)
    event = await event_of(context, view)
    seat_map = await context.loaders.layouts.load(event.seat_map_version)
    return TicketView(claim, view, event, seat_map)


async def tickets_of(context: RequestContext, order: OrderView) -> list[TicketView]:
    """Return an order's tickets, ended ones included, in order of their places."""
    claims = await context.loaders.claims.load(order.row.id)
    event = await event_of(context, order)
    seat_map = await context.loaders.layouts.load(event.seat_map_version)
    return [TicketView(claim, order, event, seat_map) for claim in claims]


async def ticket_by_public_id(context: RequestContext, text: str) -> TicketView | None:
    """Return a ticket of an order that the viewer may read; None for every other.

    Raises:
        Forbidden: the token may read no orders.
    """
    ticket_id = requested_id(text, Kind.TICKET)
    if order_reader(context) is None:
        return None
    claim = await claim_by_ticket(context.services.database, ticket_id)
    order = None if claim is None else await visible_order(context, claim.order_id)
    if order is None:
        return None
    tickets = await tickets_of(context, order)
    return next((ticket for ticket in tickets if ticket.claim.ticket_id == ticket_id), None)
