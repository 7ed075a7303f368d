"""Events, with their seat maps, statuses and lists."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataloaders.places import AvailabilityRow
from db.queries.events import EventRow, count_events_of_organiser, events_of_organiser
from db.queries.upcoming_events import (
    EventConditions,
    EventOrder,
    count_upcoming_events,
    upcoming_events,
)
from domain.availability import count_general_admission, count_sections
from domain.errors import BadRequest, InvalidInput, NotFound
from domain.ids import Kind, parse_id
from domain.states import EventState
from domain.text_input import line
from domain.viewer import Scope
from resolvers.connections import Connection, PageArguments, connect, time_cursor
from resolvers.context import RequestContext
from resolvers.layouts import SeatMapView, SectionAvailabilityView, section_counts
from services.identity.authorisation import organiser_of

_ORGANISED = "organised"


@dataclass(frozen=True, slots=True)
class SeatStatusesView:
    """An event's places at one version."""

    version: int
    statuses: str
    sections: list[SectionAvailabilityView]


def requested_id(text: str, kind: Kind) -> UUID:
    """Return the key of a public id in a query.

    Raises:
        BadRequest: it is no id of that kind.
    """
    try:
        return parse_id(text, kind)
    except InvalidInput as error:
        raise BadRequest(error.message) from None


def may_see(context: RequestContext, event: EventRow) -> bool:
    """Return whether the viewer may see an event: a draft only with its organiser's token."""
    if event.state != EventState.DRAFT:
        return True
    viewer = context.viewer
    return viewer is not None and Scope.ORGANISE in viewer.scopes and event.organiser_id == viewer.user_id


async def visible_event(context: RequestContext, event_id: UUID) -> EventRow | None:
    """Return an event, None where there is none or it is another organiser's draft."""
    event = await context.loaders.events.load(event_id)
    return event if event is not None and may_see(context, event) else None


def event_by_id(context: RequestContext, public_id: str) -> EventRow | Awaitable[EventRow | None] | None:
    """Return the event with a public id; None where the viewer may see none."""
    event_id = requested_id(public_id, Kind.EVENT)
    event = context.loaders.cached_event(event_id)
    if event is None:
        return visible_event(context, event_id)
    return event if may_see(context, event) else None


async def changed_event(context: RequestContext, event_id: UUID) -> EventRow:
    """Return an event after a change.

    Raises:
        NotFound: it is no longer there.
    """
    context.refresh()
    event = await context.loaders.events.load(event_id)
    if event is None:
        raise NotFound("There is no such event.")
    return event


def events(
    context: RequestContext, arguments: PageArguments, wanted: EventConditions, order: EventOrder
) -> Connection[EventRow] | Awaitable[Connection[EventRow]]:
    """Return a page of upcoming published events, the same for every viewer."""
    page = _Page(wanted, order, arguments.size(), arguments)
    cached: Connection[EventRow] | None = context.loaders.cached_page(page)
    return cached or _read_page(context, page)


@dataclass(frozen=True, slots=True)
class _Page:
    """The arguments that a page of events depends on, besides the time."""

    wanted: EventConditions
    order: EventOrder
    size: int
    arguments: PageArguments


async def _read_page(context: RequestContext, page: _Page) -> Connection[EventRow]:
    wanted, order, size = page.wanted, page.order, page.size
    database, now = context.services.database, context.now
    rows = await upcoming_events(database, wanted, order, page.arguments.by_time(order.value), now)
    cache = context.loaders.rows
    cache.events.put({row.id: row for row in rows})

    def cursor_of(row: EventRow) -> str:
        by_creation = order is EventOrder.CREATED_AT_DESC
        return time_cursor(order.value, row.created_at if by_creation else row.starts_at, row.id)

    def count() -> Awaitable[int]:
        return count_upcoming_events(database, wanted, now)

    found = connect(rows, size, cursor_of, count, page.arguments)
    cache.pages.put({page: found})
    return found


async def organised_events(
    context: RequestContext, organiser_id: UUID, page: PageArguments
) -> Connection[EventRow]:
    """Return a page of an organiser's events, with drafts and past ones, the newest first.

    Raises:
        Unauthenticated, Forbidden: without a token with the scope organise.
    """
    organiser_of(context.viewer)
    database = context.services.database
    rows = await events_of_organiser(database, organiser_id, page.by_time(_ORGANISED))
    for row in rows:
        context.loaders.events.prime(row.id, row)
    return connect(
        rows,
        page.size(),
        lambda row: time_cursor(_ORGANISED, row.created_at, row.id),
        lambda: count_events_of_organiser(database, organiser_id),
        page,
    )


async def sections_of(
    context: RequestContext, availability: AvailabilityRow
) -> list[SectionAvailabilityView]:
    """Return the counts of every section."""
    seat_map = await context.loaders.layouts.load(availability.event.seat_map_version)
    return section_counts(availability.event.id, count_sections(seat_map, availability.places))


async def seat_map_of(context: RequestContext, event: EventRow) -> SeatMapView:
    """Return an event's layout."""
    return SeatMapView(await context.loaders.layouts.load(event.seat_map_version))


async def seat_statuses_of(context: RequestContext, event: EventRow) -> SeatStatusesView:
    """Return an event's present places, not from a cache."""
    seat_map = await context.loaders.layouts.load(event.seat_map_version)
    snapshot = await context.services.seats.snapshot(event.id)
    return SeatStatusesView(
        version=snapshot.version,
        statuses=snapshot.places[: seat_map.seat_count].decode("ascii"),
        sections=section_counts(event.id, count_general_admission(seat_map, snapshot.places)),
    )


def conditions(
    *,
    starts_from: datetime | None,
    starts_to: datetime | None,
    city: str | None,
    category: str | None,
    venue_id: str | None,
    performer_id: str | None,
    on_sale: bool | None,
) -> EventConditions:
    """Return the conditions of a filter.

    Raises:
        BadRequest: an id or a text that cannot be one.
    """
    return EventConditions(
        starts_from=starts_from,
        starts_to=starts_to,
        city=requested_text(city, "filter.city"),
        category=requested_text(category, "filter.category"),
        venue_id=None if venue_id is None else requested_id(venue_id, Kind.VENUE),
        performer_id=None if performer_id is None else requested_id(performer_id, Kind.PERFORMER),
        on_sale=on_sale,
    )


def requested_text(text: str | None, path: str) -> str | None:
    """Return a text to compare with.

    Raises:
        BadRequest: it is too long, or has control characters.
    """
    try:
        return None if text is None else line(text, path, least=0)
    except InvalidInput as error:
        raise BadRequest(error.message) from None
