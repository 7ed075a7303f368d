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
    performers_like,
    publish_imported,
    sold_starts,
    upsert_performers,
    upsert_venues,
    write_events,
)
from db.queries.upsert import batches
from db.queries.venues import VenueDescription, venue_like
from db.session import Connection, Database
from domain.genres import category_of
from domain.layout import SeatMap
from domain.seating import build_seat_map
from domain.states import ASSUMED_DURATION, EventState
from kit.ids import new_uuid
from services.catalogue.imports.listings import (
    Catalogue,
    EventRecord,
    Fault,
    PerformerRecord,
    VenueRecord,
    refusal,
)

Progress = Callable[[int, int, str], None]
"""Called with the number done, the total and the kind of things"""

SOURCE = "import"
MAX_TICKETS_PER_ORDER = 8
_EVENTS_PER_BATCH = 500
_MOVED_SILENTLY = "start: tickets of this event are sold; move it by updateEvent with notifyBuyers: true."


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The numbers of imported venues, performers and events, of new events, and of published ones."""

    venues: int
    performers: int
    events: int
    new_events: int
    published: int = 0


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
    source: str = SOURCE,
    event_source: str | None = None,
    organiser_id: UUID | None = None,
    publish_at: datetime | None = None,
    when: Callable[[datetime], datetime] = lambda start: start,
) -> ImportReport:
    """Write a catalogue in one transaction; each event becomes a draft.

    Rows of an earlier import of the same `source` are found by their key and updated; the seats and prices of
    an existing event stay. `event_source` separates two sets of events with the same keys. With `publish_at`,
    the present, the drafts among the events are published, except those that are over; `when` maps an event's
    start to another.

    Raises:
        InvalidInput: Events name an unknown venue or performer, or move although tickets are sold; each is
            named, and nothing is written.
    """
    moved = replace(catalogue, events=[_moved(event, when) for event in catalogue.events])
    async with database.transaction() as connection:
        await lock_catalogue(connection)
        venues = await _write_venues(connection, source, catalogue.venues, progress)
        performers = await _write_performers(connection, source, catalogue.performers, progress)
        keys = await _with_earlier(connection, source, catalogue, Keys(venues, performers))
        _check_references(catalogue.events, keys)
        writer = _EventWriter(connection, moved, keys, event_source or source, organiser_id)
        new_events = await writer.write(progress)
        published = 0 if publish_at is None else await writer.publish(publish_at)
    return ImportReport(len(venues), len(performers), len(catalogue.events), new_events, published)


def _moved(event: EventRecord, when: Callable[[datetime], datetime]) -> EventRecord:
    start = when(event.starts_at)
    ends_at = event.ends_at and event.ends_at + (start - event.starts_at)
    return replace(event, starts_at=start, ends_at=ends_at)


async def _write_venues(
    connection: Connection, source: str, records: Sequence[VenueRecord], progress: Progress
) -> dict[str, UUID]:
    keys = await _keys(connection, source, "venues", [record.key for record in records])
    rows = {record.key: _venue_row(source, record, keys[record.key]) for record in records}
    await upsert_venues(connection, list(rows.values()))
    if records:
        progress(len(records), len(records), "venues")
    return keys


def _venue_row(source: str, record: VenueRecord, key: UUID) -> NewVenue:
    venue = record.description
    return NewVenue(
        id=key,
        external_id=_external_id(source, record.key),
        name=venue.name,
        address=venue.address,
        city=venue.city,
        country=venue.country,
        lat=venue.lat,
        lng=venue.lng,
        timezone=venue.timezone,
    )


async def _write_performers(
    connection: Connection, source: str, records: Sequence[PerformerRecord], progress: Progress
) -> dict[str, UUID]:
    keys = await _keys(connection, source, "performers", [record.key for record in records])
    rows = {
        record.key: NewPerformer(
            keys[record.key],
            _external_id(source, record.key),
            record.name,
            record.bio,
            record.genres,
        )
        for record in records
    }
    await upsert_performers(connection, list(rows.values()))
    if records:
        progress(len(records), len(records), "performers")
    return keys


async def _keys(connection: Connection, source: str, table: str, keys: Iterable[str]) -> dict[str, UUID]:
    """Return the ids: those of earlier imports, and new ones for the others."""
    names = {key: _external_id(source, key) for key in keys}
    earlier = await ids_by_external_id(connection, table, list(names.values()))
    return {key: earlier.get(name) or new_uuid() for key, name in names.items()}


async def _with_earlier(connection: Connection, source: str, catalogue: Catalogue, keys: Keys) -> Keys:
    """Return the ids of these files' rows, and of named rows of earlier imports."""
    venues = (event.venue for event in catalogue.events if isinstance(event.venue, str))
    performers = (key for event in catalogue.events for key in event.performer_keys)
    return Keys(
        await _and_earlier(connection, source, "venues", keys.venues, venues),
        await _and_earlier(connection, source, "performers", keys.performers, performers),
    )


async def _and_earlier(
    connection: Connection, source: str, table: str, keys: Mapping[str, UUID], wanted: Iterable[str]
) -> dict[str, UUID]:
    others = {_external_id(source, key): key for key in wanted if key not in keys}
    earlier = await ids_by_external_id(connection, table, list(others))
    return {**keys, **{others[name]: key for name, key in earlier.items()}}


def _check_references(events: Sequence[EventRecord], keys: Keys) -> None:
    faults = [
        Fault(event.file, event.line, sentence) for event in events for sentence in _unknown(event, keys)
    ]
    if faults:
        raise refusal(faults)


def _unknown(event: EventRecord, keys: Keys) -> Iterable[str]:
    if isinstance(event.venue, str) and event.venue not in keys.venues:
        yield f"venue_id: there is no venue {event.venue!r}."
    for performer in event.performer_keys:
        if performer not in keys.performers:
            yield f"performer_ids: there is no performer {performer!r}."


def _external_id(source: str, key: str) -> str:
    return f"{source}:{key}"


class _EventWriter:
    """Writes events, batch by batch, within one transaction."""

    def __init__(
        self,
        connection: Connection,
        catalogue: Catalogue,
        keys: Keys,
        source: str,
        organiser_id: UUID | None,
    ) -> None:
        self._connection = connection
        self._events = catalogue.events
        self._genres = {record.key: record.genres for record in catalogue.performers}
        self._keys = keys
        self._source = source
        self._organiser_id = organiser_id
        self._venues: dict[VenueDescription, UUID] = {}

    async def write(self, progress: Progress) -> int:
        """Write all events, and return the number of new ones."""
        done = new = 0
        await self._refuse_silent_moves()
        progress(0, len(self._events), "events")
        for batch in batches(self._events, _EVENTS_PER_BATCH):
            new += await self._write_batch(batch)
            done += len(batch)
            progress(done, len(self._events), "events")
        return new

    async def publish(self, now: datetime) -> int:
        """Publish the drafts among the events that are not over, and return their number."""
        names = [self._name(event) for event in self._events]
        return await publish_imported(self._connection, names, now, ASSUMED_DURATION)

    async def _write_batch(self, batch: Sequence[EventRecord]) -> int:
        names = {event.key: self._name(event) for event in batch}
        known = await ids_by_external_id(self._connection, "events", list(names.values()))
        ids = {key: known.get(name) or new_uuid() for key, name in names.items()}
        maps = {event.key: _seat_map(ids[event.key], event) for event in batch}
        new = [event.key for event in batch if names[event.key] not in known]
        rows = [await self._event(event, maps[event.key]) for event in batch]
        bills = await self._bills(batch, ids)
        await write_events(self._connection, rows, [maps[key] for key in new], bills)
        return len(new)

    async def _refuse_silent_moves(self) -> None:
        sold = await sold_starts(self._connection, [self._name(event) for event in self._events])
        moving = [
            event for event in self._events if sold.get(self._name(event), event.starts_at) != event.starts_at
        ]
        if moving:
            raise refusal([Fault(event.file, event.line, _MOVED_SILENTLY) for event in moving])

    def _name(self, event: EventRecord) -> str:
        return _external_id(self._source, event.key)

    async def _event(self, event: EventRecord, seat_map: SeatMap) -> NewEvent:
        # An existing event keeps its map and prices, so those of this map are not written.
        description = EventDescription(
            id=seat_map.event_id,
            organiser_id=self._organiser_id,
            name=event.name,
            description=event.description,
            category=event.category
            or category_of(g for p in event.performer_keys for g in self._genres.get(p, ())),
            starts_at=event.starts_at,
            ends_at=event.ends_at,
            on_sale_at=event.on_sale_at,
            off_sale_at=event.off_sale_at,
            max_tickets_per_order=MAX_TICKETS_PER_ORDER,
            max_tickets_per_person=MAX_TICKETS_PER_ORDER,
            orphan_rule=True,
        )
        venue, name = await self._venue(event.venue), self._name(event)
        return NewEvent.of(description, venue, seat_map, state=EventState.DRAFT, external_id=name)

    async def _venue(self, venue: VenueDescription | str) -> UUID:
        if isinstance(venue, str):
            return self._keys.venues[venue]
        if venue not in self._venues:
            self._venues[venue] = await venue_like(self._connection, venue)
        return self._venues[venue]

    async def _bills(self, batch: Sequence[EventRecord], ids: Mapping[str, UUID]) -> list[BillEntry]:
        names = list(dict.fromkeys(name for event in batch for name in event.performers))
        by_name = dict(zip(names, await performers_like(self._connection, names), strict=True))
        bills = []
        for event in batch:
            performers = [self._keys.performers[key] for key in event.performer_keys]
            performers += [by_name[name] for name in event.performers]
            bills += [
                BillEntry(ids[event.key], performer, position)
                for position, performer in enumerate(dict.fromkeys(performers))
            ]
        return bills


def _seat_map(event_id: UUID, event: EventRecord) -> SeatMap:
    return build_seat_map(event_id, None, [], event.sections)
