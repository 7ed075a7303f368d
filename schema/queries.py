"""The Query root."""

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from domain.challenge import Challenge as SolvableChallenge
from resolvers import challenges, orders, searching, waiting_rooms
from resolvers import events as resolve_events
from resolvers import nodes as resolve_nodes
from resolvers.connections import Connection, PageArguments
from resolvers.orders import OrderView
from resolvers.searching import ResultView, SuggestionView
from resolvers.views import EventConditions, EventOrder, EventRow, UserRow
from resolvers.waiting_rooms import QueueEntryView
from schema.challenges import Challenge
from schema.context import Info
from schema.enums import SearchSort
from schema.events import Event, EventConnection
from schema.fields import BEFORE, LAST, field
from schema.nodes import Node
from schema.orders import Order, User
from schema.searching import EventSearchResult, SearchEventsInput, Suggestion
from schema.waiting_room import QueueEntry
from services.search.find_events import SearchQuestion


@strawberry.input(description="Which events; conditions add up, what is left out does not matter")
class EventFilter:
    starts_from: datetime | None = strawberry.field(default=None, description="Starting then or later")
    starts_to: datetime | None = strawberry.field(default=None, description="Starting before then")
    city: str | None = strawberry.field(default=None, description="Venue.city, in any case")
    category: str | None = strawberry.field(default=None, description="Event.category, in any case")
    venue_id: strawberry.ID | None = strawberry.field(default=None, description="At this venue")
    performer_id: strawberry.ID | None = strawberry.field(default=None, description="With this performer")
    on_sale: bool | None = strawberry.field(
        default=None, description="True: can be bought now; false: cannot"
    )


@strawberry.type(description="Reading")
class Query:
    @field(graphql_type=Node | None, description="Anything by its id; null where there is none to see")
    @staticmethod
    async def node(
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Any Node's id")],
    ) -> object | None:
        return await resolve_nodes.node_by_id(info.context, id)

    @field(
        graphql_type=list[Node | None],
        description="Things by their global ids, in the order of the ids; null where there is none to see",
    )
    @staticmethod
    async def nodes(
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="At most 100 Nodes' ids")],
    ) -> list[object | None]:
        return await resolve_nodes.nodes_by_ids(info.context, ids)

    @field(
        graphql_type=EventConnection,
        description="Upcoming published events, soonest first unless orderBy says otherwise",
    )
    @staticmethod
    def events(
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="1 to 100")] = 20,
        after: Annotated[str | None, strawberry.argument(description="The cursor to go on from")] = None,
        last: Annotated[int | None, strawberry.argument(description=LAST)] = None,
        before: Annotated[str | None, strawberry.argument(description=BEFORE)] = None,
        filter: Annotated[EventFilter | None, strawberry.argument(description="Which events")] = None,
        order_by: Annotated[
            EventOrder | None, strawberry.argument(description="Keep it from page to page")
        ] = EventOrder.STARTS_AT_ASC,
    ) -> Connection[EventRow] | Awaitable[Connection[EventRow]]:
        order = order_by or EventOrder.STARTS_AT_ASC
        page = PageArguments(first, after, last, before)
        return resolve_events.events(info.context, page, _conditions(filter), order)

    @field(graphql_type=Event | None, description="One event; null where there is none to see")
    @staticmethod
    def event(
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Event.id")],
    ) -> EventRow | Awaitable[EventRow | None] | None:
        return resolve_events.event_by_id(info.context, id)

    @field(
        graphql_type=EventSearchResult,
        description="Full-text, typo-tolerant; answers within 500 ms at the 99th percentile",
    )
    @staticmethod
    async def search_events(
        info: Info,
        input: Annotated[SearchEventsInput, strawberry.argument(description="What to look for")],
    ) -> ResultView:
        return await searching.search(info.context, _question(input))

    @field(
        graphql_type=list[Suggestion],
        description="As-you-type completions of event, performer, venue and city names",
    )
    @staticmethod
    async def suggest(
        info: Info,
        prefix: Annotated[str, strawberry.argument(description="What was typed so far")],
        limit: Annotated[int | None, strawberry.argument(description="1 to 20")] = 8,
    ) -> Sequence[SuggestionView]:
        return await searching.suggest(info.context, prefix, limit)

    @field(
        graphql_type=Order | None,
        description="The caller's own order (scope buy), or one for their own event (scope organise); else "
        "null. `node` answers the same",
    )
    @staticmethod
    async def order(
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Order.id")],
    ) -> OrderView | None:
        return await orders.order_by_public_id(info.context, id)

    @field(graphql_type=User | None, description="Null when nobody is signed in")
    @staticmethod
    async def me(info: Info) -> UserRow | None:
        return await orders.me(info.context)

    @field(graphql_type=QueueEntry | None, description="Where the caller stands in this event's waiting room")
    @staticmethod
    async def queue_entry(
        info: Info, event_id: Annotated[strawberry.ID, strawberry.argument(description="Event.id")]
    ) -> QueueEntryView | None:
        return await waiting_rooms.queue_entry(info.context, event_id)

    @field(
        graphql_type=Challenge | None,
        description="What a client has to solve before createGuestSession and joinQueue, where the house "
        "asks for it; null where it does not. Never cached",
    )
    @staticmethod
    async def challenge(info: Info) -> SolvableChallenge | None:
        return await challenges.challenge(info.context)

    @field(description="The server's clock, for countdowns on devices whose own is wrong")
    @staticmethod
    def server_time(info: Info) -> datetime:
        return info.context.now


def _conditions(wanted: EventFilter | None) -> EventConditions:
    if wanted is None:
        return EventConditions()
    return resolve_events.conditions(
        starts_from=wanted.starts_from,
        starts_to=wanted.starts_to,
        city=wanted.city,
        category=wanted.category,
        venue_id=wanted.venue_id,
        performer_id=wanted.performer_id,
        on_sale=wanted.on_sale,
    )


def _question(wanted: SearchEventsInput) -> SearchQuestion:
    near = None if wanted.near is None else (wanted.near.lat, wanted.near.lng, wanted.near.radius_km)
    return SearchQuestion(
        keyword=wanted.keyword or "",
        start=wanted.start,
        end=wanted.end,
        city=wanted.city,
        category=wanted.category,
        near=near,
        price_max=wanted.price_max,
        currency=wanted.currency,
        available_only=bool(wanted.available_only),
        sort=(wanted.sort or SearchSort.RELEVANCE).value,
        page_size=20 if wanted.page_size is None else wanted.page_size,
        page_num=1 if wanted.page_num is None else wanted.page_num,
    )
