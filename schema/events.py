"""Events, venues and performers."""

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers import event_orders as resolve_orders
from resolvers import events as resolve
from resolvers import places as resolve_places
from resolvers import waiting_rooms as resolve_waiting_rooms
from resolvers.connections import Connection, PageArguments
from resolvers.layouts import SeatMapView, seat_statuses_path
from resolvers.orders import OrderView
from resolvers.places import PlaceView
from resolvers.views import AvailabilityRow, EventRow, PerformerRow, VenueRow
from schema.context import Info
from schema.enums import EventStatus, OrderState, SeatStatus
from schema.fields import BEFORE, LAST, LAST_OF_500, field
from schema.layouts import Availability, SeatMap, SeatStatuses
from schema.nodes import Money, Node, PageInfo
from schema.places import PlaceConnection
from schema.waiting_room import WaitingRoom
from services.waiting_room.waiting_rooms import Overview

if TYPE_CHECKING:
    from schema.orders import OrderConnection


@strawberry.type(description="A house where events take place")
class Venue(Node):
    name: str = strawberry.field(description="As the house calls itself")
    address: str | None = strawberry.field(description="Street and number")
    city: str = strawberry.field(description="What `EventFilter.city` is compared with")
    country: str | None = strawberry.field(description="Name or ISO 3166 code, as the organiser wrote it")
    lat: float | None = strawberry.field(description="Degrees north")
    lng: float | None = strawberry.field(description="Degrees east")
    timezone: str = strawberry.field(description="IANA name, e.g. Asia/Seoul")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, VenueRow)


@strawberry.type(description="Who is on stage")
class Performer(Node):
    name: str = strawberry.field(description="As billed")
    bio: str | None = strawberry.field(description="A few sentences")
    genres: list[str] = strawberry.field(description="Most fitting first")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, PerformerRow)


@strawberry.type(description="A concert, a play, a match: one date in one venue")
class Event(Node):
    name: str = strawberry.field(description="As on the poster")
    description: str = strawberry.field(description="Plain text; may be empty")
    category: str | None = strawberry.field(description="What `EventFilter.category` is compared with")
    starts_at: datetime = strawberry.field(description="When it begins")
    ends_at: datetime | None = strawberry.field(
        description="When it is over; where null, six hours after it began"
    )
    timezone: str = strawberry.field(description="IANA name, e.g. Asia/Seoul")
    on_sale_at: datetime | None = strawberry.field(
        description="When the sale opens; null: from publication on"
    )
    off_sale_at: datetime | None = strawberry.field(
        description="When the sale closes; null: when the event is over"
    )
    price_from: Money | None = strawberry.field(
        description="The least that a ticket costs, fees and taxes included"
    )
    price_to: Money | None = strawberry.field(
        description="The most that a ticket costs, fees and taxes included"
    )
    max_tickets_per_order: int = strawberry.field(description="More in one order is LIMIT_EXCEEDED")
    max_tickets_per_person: int = strawberry.field(
        description="Live tickets that one person may have of this event, over all their orders, held and "
        "booked; more is LIMIT_EXCEEDED"
    )
    orphan_rule: bool = strawberry.field(
        description="Whether leaving a single free seat between taken ones is refused with ORPHAN_SEAT"
    )

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, EventRow)

    @field(description="At this moment; the sale's times and the seats decide")
    @staticmethod
    def status(root: strawberry.Parent[EventRow], info: Info) -> EventStatus:
        return info.context.status_of(root)

    @field(graphql_type=Venue, description="Where it takes place")
    @staticmethod
    def venue(root: strawberry.Parent[EventRow], info: Info) -> VenueRow | Awaitable[VenueRow | None] | None:
        return info.context.loaders.venue_of(root)

    @field(graphql_type=list[Performer], description="In billing order")
    @staticmethod
    def performers(
        root: strawberry.Parent[EventRow], info: Info
    ) -> Sequence[PerformerRow] | Awaitable[Sequence[PerformerRow]]:
        return info.context.loaders.bill_of(root)

    @field(graphql_type=Availability, description="Counts, at most a second old; the subscription is exact")
    @staticmethod
    def availability(
        root: strawberry.Parent[EventRow], info: Info
    ) -> AvailabilityRow | Awaitable[AvailabilityRow]:
        return info.context.loaders.availability_of(root)

    @field(
        graphql_type=SeatMap,
        description="The static layout: cache it by version; statuses come from seatStatuses or the "
        "subscription",
    )
    @staticmethod
    async def seat_map(root: strawberry.Parent[EventRow], info: Info) -> SeatMapView:
        return await resolve.seat_map_of(info.context, root)

    @field(graphql_type=SeatStatuses, description="Today's statuses in one read")
    @staticmethod
    async def seat_statuses(root: strawberry.Parent[EventRow], info: Info) -> resolve.SeatStatusesView:
        return await resolve.seat_statuses_of(info.context, root)

    @field(
        description="seatStatuses as a document for caches and CDNs, at most a second old; relative to the "
        "API's address. It leads to the document of one version; subscribe with its version as sinceVersion. "
        "404 while the event is a draft"
    )
    @staticmethod
    def seat_statuses_url(root: strawberry.Parent[EventRow]) -> str:
        return seat_statuses_path(root.id)

    @field(
        graphql_type=PlaceConnection,
        description="Everything that can be sold, in order of section, row and seat: numbered seats, and "
        "general-admission places one by one",
    )
    @staticmethod
    async def places(
        root: strawberry.Parent[EventRow],
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="1 to 500")] = 50,
        after: Annotated[str | None, strawberry.argument(description="The cursor to go on from")] = None,
        last: Annotated[int | None, strawberry.argument(description=LAST_OF_500)] = None,
        before: Annotated[str | None, strawberry.argument(description=BEFORE)] = None,
        section_id: Annotated[strawberry.ID | None, strawberry.argument(description="One section")] = None,
        status: Annotated[SeatStatus | None, strawberry.argument(description="One status")] = None,
    ) -> Connection[PlaceView]:
        page = PageArguments(first, after, last, before)
        return await resolve_places.places_of_event(info.context, root, page, section_id, status)

    @field(
        graphql_type=Annotated["OrderConnection", strawberry.lazy("schema.orders")],
        description="Newest first, for the event's organiser. Needs the scope organise",
    )
    @staticmethod
    async def orders(
        root: strawberry.Parent[EventRow],
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="1 to 100")] = 20,
        after: Annotated[str | None, strawberry.argument(description="The cursor to go on from")] = None,
        last: Annotated[int | None, strawberry.argument(description=LAST)] = None,
        before: Annotated[str | None, strawberry.argument(description=BEFORE)] = None,
        search: Annotated[
            str | None,
            strawberry.argument(
                description="A reference or its beginning, words of the buyer's name or e-mail address, or a "
                'seat as people type it ("Row 3 Seat 12", "3-12"); up to 100 characters'
            ),
        ] = None,
        status: Annotated[OrderState | None, strawberry.argument(description="One status")] = None,
        disputed: Annotated[
            bool | None,
            strawberry.argument(description="true: those whose payment is in a dispute, or was lost in one"),
        ] = None,
    ) -> Connection[OrderView]:
        page = PageArguments(first, after, last, before)
        return await resolve_orders.orders_of(info.context, root, page, search, status, disputed)

    @field(graphql_type=WaitingRoom, description="The line in front of this event's sale")
    @staticmethod
    def waiting_room(root: strawberry.Parent[EventRow], info: Info) -> Overview | Awaitable[Overview]:
        return resolve_waiting_rooms.waiting_room_of(info.context, root)


@strawberry.type(description="An event on a page")
class EventEdge:
    node: Event = strawberry.field(description="The event")
    cursor: str = strawberry.field(description="Where it stands, to pass as `after`")


@strawberry.type(description="A page of events (Relay)")
class EventConnection:
    edges: list[EventEdge] = strawberry.field(description="The events of this page")
    page_info: PageInfo = strawberry.field(description="How to go on")

    @field(description="How many there are in all; counted only when asked for")
    @staticmethod
    async def total_count(root: strawberry.Parent[Connection[EventRow]]) -> int:
        return await root.count()
