"""An event's places: derived from the layout, never stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from db.queries.events import EventRow
from domain.errors import BadRequest, InvalidInput
from domain.ids import Part, parse_part, part_id
from domain.layout import SeatMap
from domain.money import Money
from domain.seat_status import SeatStatus, status_name
from resolvers.connections import (
    MOST_PLACES_ON_A_PAGE,
    Connection,
    PageArguments,
    connect,
    number_cursor,
    read_number_cursor,
)
from resolvers.context import RequestContext
from resolvers.layouts import SeatView, SectionView, seat_views

_LISTING = "places"


@dataclass(frozen=True, slots=True)
class PlaceView:
    """One place, with its price and its status at present."""

    seat_map: SeatMap
    place: int
    price: Money
    fee: Money
    status: str

    @property
    def public_id(self) -> str:
        """E.g. plc_01jd3x8k2m9q4r5s6t7v8w9x0y_17."""
        return part_id(Part.PLACE, self.seat_map.event_id, self.place)

    @property
    def section(self) -> SectionView:
        """The section of the place."""
        return section_of_place(self.seat_map, self.place)

    @property
    def seat(self) -> SeatView | None:
        """The numbered seat, if it is one."""
        return seat_of_place(self.seat_map, self.place)


def section_of_place(seat_map: SeatMap, place: int) -> SectionView:
    """Return the section that a place belongs to."""
    return SectionView(seat_map.event_id, seat_map.section_of(place))


def seat_of_place(seat_map: SeatMap, place: int) -> SeatView | None:
    """Return the numbered seat of a place; None in general admission."""
    seat = seat_map.seat_at(place)
    return None if seat is None else next(seat_views(seat_map.event_id, iter([seat])))


def place_at(seat_map: SeatMap, place: int, status: str) -> PlaceView:
    """Return a place at its present price."""
    level = seat_map.price_level_of(place)
    return PlaceView(seat_map, place, level.price, level.fee, status)


async def places_of_event(
    context: RequestContext,
    event: EventRow,
    page: PageArguments,
    section_id: str | None,
    status: str | None,
) -> Connection[PlaceView]:
    """Return a page of an event's places, perhaps of one section or status."""
    size = page.size(usual=50, most=MOST_PLACES_ON_A_PAGE)
    after = read_number_cursor(_LISTING, page.after)
    before = read_number_cursor(_LISTING, page.before, "before")
    seat_map = await context.loaders.layouts.load(event.seat_map_version)
    span = range(seat_map.place_count) if section_id is None else _section(seat_map, section_id)
    places = (await context.loaders.availability.load(event)).places
    start = span.start if after is None else max(span.start, after + 1)
    stop = span.stop if before is None else min(span.stop, before)
    found = list(islice(_matching(places, start, stop, status, backward=page.backward), size + 1))
    rows = [place_at(seat_map, place, status_name(places[place])) for place in sorted(found)]

    async def count() -> int:
        if status is None:
            return len(span)
        return places.count(SeatStatus[status].encode(), span.start, span.stop)

    return connect(rows, size, lambda view: number_cursor(_LISTING, view.place), count, page)


async def place_by_number(context: RequestContext, event: EventRow, place: int) -> PlaceView | None:
    """Return one place of an event, with its public status; None where there is none."""
    seat_map = await context.loaders.layouts.load(event.seat_map_version)
    if not 0 <= place < seat_map.place_count:
        return None
    places = (await context.loaders.availability.load(event)).places
    return place_at(seat_map, place, status_name(places[place]))


def _section(seat_map: SeatMap, section_id: str) -> range:
    try:
        _, number = parse_part(section_id, Part.SECTION, seat_map.event_id)
    except InvalidInput as error:
        raise BadRequest(f"sectionId: {error.message}") from None
    if number >= len(seat_map.sections):
        raise BadRequest("sectionId: this event has no such section.")
    return seat_map.sections[number].places


def _matching(places: bytes, start: int, stop: int, status: str | None, *, backward: bool) -> Iterator[int]:
    """The places from one end, of one status where that is wanted."""
    if status is None:
        every = range(start, min(stop, len(places)))
        yield from reversed(every) if backward else every
        return
    letter = SeatStatus[status].encode()
    find = places.rfind if backward else places.find
    place = find(letter, start, stop)
    while place >= 0:
        yield place
        start, stop = (start, place) if backward else (place + 1, stop)
        place = find(letter, start, stop)
