"""Import a catalogue from files: all of it or nothing; a second import updates the first."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from db.queries.catalogue import (
    BillEntry,
    EventDescription,
    NewEvent,
    NewPerformer,
    NewVenue,
    ids_by_external_id,
    lock_catalogue,
    upsert_performers,
    upsert_venues,
    write_events,
)
from db.queries.upsert import batches
from db.session import Connection, Database
from domain.errors import InvalidInput
from domain.genres import category_of
from domain.korean_cities import city_of
from domain.layout import SeatMap
from domain.money import Money
from domain.price_text import price_in_won
from domain.seating import GeneralAdmission, build_seat_map
from domain.states import EventState
from kit.ids import new_uuid
from services.catalogue.files import TIMEZONE, Catalogue, ConcertRecord, PerformerRecord, VenueRecord

Progress = Callable[[int, int, str], None]
"""Called with the number done, the total and the kind of things"""

SOURCE = "import"
# The files name no capacity, and some concerts no price: a club's capacity and the most frequent price.
CAPACITY = 200
USUAL_PRICE_WON = 20_000
MAX_TICKETS_PER_ORDER = 8
_EVENTS_PER_BATCH = 500


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The numbers of imported venues, performers and events, and of new events among them."""

    venues: int
    performers: int
    events: int
    new_events: int


@dataclass(frozen=True, slots=True)
class Keys:
    """The ids of imported rows, by their key in the file."""

    venues: Mapping[str, UUID]
    performers: Mapping[str, UUID]


async def import_catalogue(
    database: Database,
    catalogue: Catalogue,
    progress: Progress,
    *,
    event_source: str = SOURCE,
    organiser_id: UUID | None = None,
    when: Callable[[datetime], datetime] = lambda start: start,
) -> ImportReport:
    """Write a catalogue in one transaction; each concert becomes a published event.

    Rows of an earlier import are found by their key and updated; the seats and prices of an existing event
    stay. `event_source` separates two sets of events with the same keys; `when` maps a concert's date to the
    event's.

    Raises:
        InvalidInput: A concert names an unknown venue or performer; nothing is written.
    """
    async with database.transaction() as connection:
        await lock_catalogue(connection)
        venues = await _write_venues(connection, catalogue.venues, progress)
        performers = await _write_performers(connection, catalogue.performers, progress)
        keys = Keys(
            await _with_earlier(connection, "venues", venues, (c.venue for c in catalogue.concerts)),
            await _with_earlier(
                connection, "performers", performers, (p for c in catalogue.concerts for p in c.performers)
            ),
        )
        concerts = [replace(concert, starts_at=when(concert.starts_at)) for concert in catalogue.concerts]
        writer = _EventWriter(connection, catalogue, keys, event_source, organiser_id)
        new_events = await writer.write(concerts, progress)
    return ImportReport(len(venues), len(performers), len(concerts), new_events)


async def _write_venues(
    connection: Connection, records: Sequence[VenueRecord], progress: Progress
) -> dict[str, UUID]:
    keys = await _keys(connection, "venues", [record.key for record in records])
    rows = {record.key: _venue_row(record, keys[record.key]) for record in records}
    await upsert_venues(connection, list(rows.values()))
    progress(len(records), len(records), "venues")
    return keys


def _venue_row(record: VenueRecord, key: UUID) -> NewVenue:
    return NewVenue(
        id=key,
        external_id=_external_id(SOURCE, record.key),
        name=record.name,
        address=record.address or None,
        city=city_of(record.address, record.lat, record.lng),
        country="KR",
        lat=record.lat,
        lng=record.lng,
        timezone=TIMEZONE,
    )


async def _write_performers(
    connection: Connection, records: Sequence[PerformerRecord], progress: Progress
) -> dict[str, UUID]:
    keys = await _keys(connection, "performers", [record.key for record in records])
    rows = {
        record.key: NewPerformer(
            keys[record.key],
            _external_id(SOURCE, record.key),
            record.name,
            record.bio,
            record.genres,
        )
        for record in records
    }
    await upsert_performers(connection, list(rows.values()))
    progress(len(records), len(records), "performers")
    return keys


async def _keys(
    connection: Connection, table: str, keys: Iterable[str], source: str = SOURCE
) -> dict[str, UUID]:
    """Return the ids: those of earlier imports, and new ones for the others."""
    names = {key: _external_id(source, key) for key in keys}
    earlier = await ids_by_external_id(connection, table, list(names.values()))
    return {key: earlier.get(name) or new_uuid() for key, name in names.items()}


async def _with_earlier(
    connection: Connection, table: str, keys: dict[str, UUID], wanted: Iterable[str]
) -> dict[str, UUID]:
    """Return the ids of these files' rows, and of named rows of earlier imports."""
    others = {_external_id(SOURCE, key): key for key in wanted if key not in keys}
    earlier = await ids_by_external_id(connection, table, list(others))
    return keys | {others[name]: key for name, key in earlier.items()}


def _external_id(source: str, key: str) -> str:
    return f"{source}:{key}"


class _EventWriter:
    """Writes concerts as events, batch by batch, within one transaction."""

    def __init__(
        self,
        connection: Connection,
        catalogue: Catalogue,
        keys: Keys,
        source: str,
        organiser_id: UUID | None,
    ) -> None:
        self._connection = connection
        self._genres = {record.key: record.genres for record in catalogue.performers}
        self._keys = keys
        self._source = source
        self._organiser_id = organiser_id

    async def write(self, concerts: Sequence[ConcertRecord], progress: Progress) -> int:
        """Write all events, and return the number of new ones."""
        unique = list({concert.key: concert for concert in concerts}.values())
        done = new = 0
        progress(0, len(unique), "events")
        for batch in batches(unique, _EVENTS_PER_BATCH):
            new += await self._write_batch(batch)
            done += len(batch)
            progress(done, len(unique), "events")
        return new

    async def _write_batch(self, concerts: Sequence[ConcertRecord]) -> int:
        names = {concert.key: _external_id(self._source, concert.key) for concert in concerts}
        known = await ids_by_external_id(self._connection, "events", list(names.values()))
        ids = {key: known.get(name) or new_uuid() for key, name in names.items()}
        maps = {c.key: _club_map(ids[c.key], c) for c in concerts if names[c.key] not in known}
        events = [self._event(concert, ids[concert.key], maps) for concert in concerts]
        bills = [row for concert in concerts for row in self._bill(concert, ids[concert.key])]
        await write_events(self._connection, events, maps.values(), bills)
        return len(maps)

    def _event(self, concert: ConcertRecord, key: UUID, maps: Mapping[str, SeatMap]) -> NewEvent:
        venue = self._keys.venues.get(concert.venue)
        if venue is None:
            raise InvalidInput(f"{concert.where}.venue_id: there is no venue {concert.venue!r}.")
        # An existing event keeps its map and prices, so new ones are not written.
        seat_map = maps.get(concert.key) or _club_map(key, concert)
        description = EventDescription(
            id=key,
            organiser_id=self._organiser_id,
            name=concert.title,
            description=f"입장료: {concert.price_text}" if concert.price_text else "",
            category=category_of(g for key in concert.performers for g in self._genres.get(key, ())),
            starts_at=concert.starts_at,
            ends_at=None,
            on_sale_at=None,
            off_sale_at=None,
            max_tickets_per_order=MAX_TICKETS_PER_ORDER,
            max_tickets_per_person=MAX_TICKETS_PER_ORDER,
            orphan_rule=True,
        )
        external_id = _external_id(self._source, concert.key)
        return NewEvent.of(description, venue, seat_map, state=EventState.PUBLISHED, external_id=external_id)

    def _bill(self, concert: ConcertRecord, event_id: UUID) -> Iterable[BillEntry]:
        for position, name in enumerate(concert.performers):
            performer = self._keys.performers.get(name)
            if performer is None:
                raise InvalidInput(
                    f"{concert.where}.performer_ids[{position}]: there is no performer {name!r}."
                )
            yield BillEntry(event_id, performer, position)


def _club_map(event_id: UUID, concert: ConcertRecord) -> SeatMap:
    price = price_in_won(concert.price_text)
    money = Money(USUAL_PRICE_WON if price is None else price, "KRW")
    return build_seat_map(event_id, None, [], [GeneralAdmission("General admission", CAPACITY, money)])
