"""The Subscription root."""

from collections.abc import AsyncGenerator, Sequence
from typing import Annotated

import strawberry

from domain.ids import Kind, public_id
from domain.updates import SeatAvailabilityUpdate as SeatUpdate
from resolvers import live_updates
from resolvers.events import requested_id
from resolvers.layouts import SectionAvailabilityView
from resolvers.live_updates import SeatChangeView
from resolvers.orders import OrderView, order_view
from resolvers.waiting_rooms import entry_view
from schema.context import Info
from schema.enums import SeatStatus
from schema.events import Event
from schema.fields import field, subscription
from schema.layouts import SectionAvailability
from schema.orders import Order
from schema.waiting_room import QueueEntry
from subscriptions.event_updates import EventStream
from subscriptions.order_updates import order_updates
from subscriptions.queue_positions import QueueStream
from subscriptions.seat_availability import SeatStream


@strawberry.type(description="A seat's new status")
class SeatChange:
    seat_id: strawberry.ID = strawberry.field(description="Seat.id")
    index: int = strawberry.field(description="Seat.index")
    status: SeatStatus = strawberry.field(description="From this version on")


@strawberry.type(description="A snapshot of an event's seats, or what has changed since")
class SeatAvailabilityUpdate:
    version: int = strawberry.field(description="Rises by one with each change")
    previous_version: int | None = strawberry.field(description="Null on a snapshot")
    statuses: str | None = strawberry.field(
        description="A snapshot's whole map, as in SeatStatuses; null on a delta"
    )

    @field(graphql_type=strawberry.ID, description="Event.id")
    @staticmethod
    def event_id(root: strawberry.Parent[SeatUpdate]) -> str:
        return public_id(Kind.EVENT, root.event_id)

    @field(graphql_type=list[SeatChange], description="A delta's changed seats; empty on a snapshot")
    @staticmethod
    def changes(root: strawberry.Parent[SeatUpdate]) -> Sequence[SeatChangeView]:
        return live_updates.changes_of(root)

    @field(
        graphql_type=list[SectionAvailability],
        description="On a snapshot all sections, on a delta those that changed",
    )
    @staticmethod
    def sections(root: strawberry.Parent[SeatUpdate]) -> Sequence[SectionAvailabilityView]:
        return live_updates.sections_of(root)


@strawberry.type(description="Realtime, over WebSocket (graphql-transport-ws) and Server-Sent Events")
class Subscription:
    @subscription(
        graphql_type=SeatAvailabilityUpdate,
        description="First a snapshot, then every change in order. `version` rises by one with each "
        "change; an "
        "update's previousVersion is the version that this client had before it, so a gap shows at "
        "once. Changes "
        "may arrive merged (within a tick, or for a slow client): then version is further up. With "
        "sinceVersion "
        "the server replays from there if it still can, and sends a new snapshot if it cannot. Never a "
        "wrong map.",
    )
    @staticmethod
    def seat_availability(
        info: Info,
        event_id: Annotated[strawberry.ID, strawberry.argument(description="Event.id")],
        since_version: Annotated[
            int | None, strawberry.argument(description="The version that this client has")
        ] = None,
    ) -> SeatStream:
        return info.context.streams.seats.stream(requested_id(event_id, Kind.EVENT), since_version)

    @subscription(
        graphql_type=QueueEntry,
        description="The caller's place, on every change and at least every 5 s; admission arrives here",
    )
    @staticmethod
    def queue_position(
        info: Info, event_id: Annotated[strawberry.ID, strawberry.argument(description="Event.id")]
    ) -> QueueStream:
        key = requested_id(event_id, Kind.EVENT)
        return info.context.streams.queue.stream(info.context.viewer, key, entry_view)

    @subscription(
        graphql_type=Event,
        description="The event now, when the clock changes its status (ANNOUNCED, ON_SALE, ENDED) or closes "
        "the sale, and after every change of it",
    )
    @staticmethod
    def event_updated(
        info: Info, event_id: Annotated[strawberry.ID, strawberry.argument(description="Event.id")]
    ) -> EventStream:
        return info.context.streams.events.stream(requested_id(event_id, Kind.EVENT))

    @subscription(graphql_type=Order, description="The caller's order, now and on every change")
    @staticmethod
    async def order_updated(
        info: Info, order_id: Annotated[strawberry.ID, strawberry.argument(description="Order.id")]
    ) -> AsyncGenerator[OrderView, None]:
        context, key = info.context, requested_id(order_id, Kind.ORDER)
        async for row in order_updates(context.services, context.streams.channels, context.viewer, key):
            context.refresh()
            yield order_view(context, row)
