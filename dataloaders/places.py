"""The current places of events, and their counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from strawberry.dataloader import DataLoader

from dataloaders.row_cache import TtlTable
from db.queries.events import EventRow
from db.queries.places import places_of_events
from db.session import Database
from domain.availability import count_places
from domain.errors import Unavailable

MAX_AGE_SECONDS = 1.0


class Snapshot(Protocol):
    """An event's places at one version."""

    @property
    def places(self) -> bytes:
        """One byte a place: A, H, B or X."""


class Seats(Protocol):
    """The store of the places of events that are being sold."""

    async def read(self, event_ids: Iterable[UUID], max_age_seconds: float = ...) -> Mapping[UUID, Snapshot]:
        """The places of these events; those that Redis does not hold are absent."""

    def recent(self, event_id: UUID, max_age_seconds: float) -> Snapshot | None:
        """What this process has read of an event within that age, if anything."""


@dataclass(frozen=True, slots=True)
class AvailabilityRow:
    """An event's places, and how many are in which state; blocked ones are the rest of `total`."""

    event: EventRow
    places: bytes
    total: int
    available: int
    held: int
    booked: int


def availability_loader(
    database: Database, seats: Seats, now: datetime, cache: TtlTable[UUID, AvailabilityRow]
) -> DataLoader[EventRow, AvailabilityRow]:
    """One read for the places of all events of a batch, at most a second old.

    What Redis does not hold, or cannot answer while it is away, PostgreSQL counts, and the row cache keeps.
    """

    async def load(events: Sequence[EventRow]) -> list[AvailabilityRow]:
        found = await _places(database, seats, [event.id for event in events], now)
        rows = [_counted(event, found.get(event.id, b"")) for event in events]
        cache.put({row.event.id: row for row in rows if seats.recent(row.event.id, MAX_AGE_SECONDS) is None})
        return rows

    return DataLoader(load, cache_key_fn=_event_id)


def recent_availability(
    seats: Seats, event: EventRow, cache: TtlTable[UUID, AvailabilityRow]
) -> AvailabilityRow | None:
    """The counts of an event whose places this process has read within the last second."""
    snapshot = seats.recent(event.id, MAX_AGE_SECONDS)
    return cache.get(event.id) if snapshot is None else _counted(event, snapshot.places)


async def _places(
    database: Database, seats: Seats, event_ids: list[UUID], now: datetime
) -> dict[UUID, bytes]:
    try:
        held = await seats.read(event_ids, MAX_AGE_SECONDS)
    except Unavailable:
        held = {}
    found = {event_id: snapshot.places for event_id, snapshot in held.items()}
    missing = [event_id for event_id in event_ids if event_id not in found]
    if missing:
        found.update(await places_of_events(database, missing, now))
    return found


def _counted(event: EventRow, places: bytes) -> AvailabilityRow:
    counts = count_places(places)
    return AvailabilityRow(event, places, counts.total, counts.available, counts.held, counts.booked)


def _event_id(event: EventRow) -> UUID:
    return event.id
