"""Seat maps, prices, and the counts of places."""

import strawberry

from resolvers.events import sections_of
from resolvers.layouts import SectionAvailabilityView
from resolvers.views import AvailabilityRow
from schema.context import Info
from schema.enums import SectionKind
from schema.fields import OWN_ID, field
from schema.nodes import Money


@strawberry.type(description="A price: a category of the seating plan, or one general-admission section")
class PriceLevel:
    public_id: strawberry.ID = strawberry.field(name="id", description=OWN_ID)
    name: str = strawberry.field(description="The category of the plan, or the name of the section")
    color: str | None = strawberry.field(description="CSS colour of its seats on the map")
    price: Money = strawberry.field(description="What a ticket costs, without the fee")
    fee: Money = strawberry.field(description="What is added to each ticket")
    total: Money = strawberry.field(
        description="Price and fee and whatever else is charged for one ticket: what is shown first"
    )


@strawberry.type(description="A numbered seat. It never changes within one version of the map")
class Seat:
    public_id: strawberry.ID = strawberry.field(
        name="id", description="The id of its `Place`, which `node` reads; what `reserve` takes as seatIds"
    )
    index: int = strawberry.field(
        description="Position in SeatStatuses.statuses and in SeatAvailabilityUpdate"
    )
    row: str = strawberry.field(description="As printed on the ticket; may be empty")
    number: str = strawberry.field(description="As printed on the ticket; not always a number")
    x: float = strawberry.field(description="From the left edge of the map, in its own units")
    y: float = strawberry.field(description="From the top edge of the map, in its own units")
    price_level_id: strawberry.ID = strawberry.field(description="Which of SeatMap.priceLevels it costs")
    accessible: bool = strawberry.field(description="A place for a wheelchair")
    restricted_view: bool = strawberry.field(description="Something stands between this seat and the stage")


@strawberry.type(description="A part of the house")
class Section:
    public_id: strawberry.ID = strawberry.field(name="id", description=OWN_ID)
    name: str = strawberry.field(description="As printed on the ticket")
    kind: SectionKind = strawberry.field(description="Numbered seats, or capacity alone")
    capacity: int = strawberry.field(description="How many places it has, whatever their status")
    seats: list[Seat] = strawberry.field(
        description="In order of row and seat; empty in general admission. For thousands of seats, "
        "SeatMap.url "
        "is far smaller"
    )


@strawberry.type(description="The static layout of one event with its prices")
class SeatMap:
    public_id: strawberry.ID = strawberry.field(name="id", description=OWN_ID)
    version: str = strawberry.field(
        description="Changes when the layout or a price changes, never when a seat is sold"
    )
    width: int = strawberry.field(description="Of the drawing, in the units of Seat.x")
    height: int = strawberry.field(description="Of the drawing, in the units of Seat.y")
    seat_count: int = strawberry.field(
        description="How many numbered seats there are: the length of SeatStatuses.statuses"
    )
    price_levels: list[PriceLevel] = strawberry.field(description="Every price of the event")
    sections: list[Section] = strawberry.field(
        description="Sections with numbered seats first, then general admission"
    )
    url: str = strawberry.field(
        description="The same layout as one immutable, compressed JSON document, for maps of thousands "
        "of seats; "
        "a path on this server"
    )
    rows_url: str = strawberry.field(
        description="The same layout by rows, a tenth of the size of `url` and quicker to read: 23 kB for "
        "17,760 seats. Immutable as well; docs/clients.md describes it and has a decoder; "
        "a path on this server"
    )


@strawberry.type(description="The counts of one section; blocked places are the rest of `total`")
class SectionAvailability:
    section_id: strawberry.ID = strawberry.field(description="Section.id")
    name: str = strawberry.field(description="Section.name")
    available: int = strawberry.field(description="Places that can be held now")
    held: int = strawberry.field(description="Places in somebody's unpaid order")
    booked: int = strawberry.field(description="Places that are sold")
    total: int = strawberry.field(description="All places, blocked ones included")


@strawberry.type(description="An event's places counted; blocked places are the rest of `total`")
class Availability:
    total: int = strawberry.field(description="All places, blocked ones included")
    available: int = strawberry.field(description="Places that can be held now")
    held: int = strawberry.field(description="Places in somebody's unpaid order")
    booked: int = strawberry.field(description="Places that are sold")

    @field(graphql_type=list[SectionAvailability], description="The same by section")
    @staticmethod
    async def sections(root: strawberry.Parent[AvailabilityRow], info: Info) -> list[SectionAvailabilityView]:
        return await sections_of(info.context, root)


@strawberry.type(description="Every seat's status at one version, in one read")
class SeatStatuses:
    version: int = strawberry.field(
        description="Rises by one with every change; pass it to seatAvailability as sinceVersion"
    )
    statuses: str = strawberry.field(
        description="One character a seat, by Seat.index: A available, H held, B booked, X blocked"
    )
    sections: list[SectionAvailability] = strawberry.field(description="General-admission sections")


__all__ = [
    "Availability",
    "PriceLevel",
    "Seat",
    "SeatMap",
    "SeatStatuses",
    "Section",
    "SectionAvailability",
]
