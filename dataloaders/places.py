"""The places of events as they are now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from strawberry.dataloader import DataLoader

from db.queries.places import places_of_events
from db.session import Database
from domain.errors import Unavailable


class Snapshot(Protocol):
    """An event's places at one version."""

    @property
    def version(self) -> int:
        """Rises with every change."""

    @property
    def places(self) -> bytes:
        """One byte a place."""


class Seats(Protocol):
    """What keeps the places of events that are being sold."""

    async def read(self, event_ids: Iterable[UUID], max_age_seconds: float = ...) -> Mapping[UUID, Snapshot]:
        """The places of these events; absent where nobody has touched them yet."""


@dataclass(frozen=True, slots=True)
class PlacesNow:
    """One byte a place: A, H, B or X."""

    places: bytes


def places_loader(database: Database, seats: Seats, now: datetime) -> DataLoader[UUID, PlacesNow]:
    """One read for the places of all events of a request's turn, at most a second old.

    What the store of holds does not have, or cannot say while it is away, PostgreSQL counts.
    """

    async def load(event_ids: Sequence[UUID]) -> list[PlacesNow]:
        try:
            held = await seats.read(event_ids, 1.0)
        except Unavailable:
            held = {}
        found = {event_id: PlacesNow(snapshot.places) for event_id, snapshot in held.items()}
        missing = [event_id for event_id in event_ids if event_id not in found]
        if missing:
            counted = await places_of_events(database, missing, now)
            found.update({event_id: PlacesNow(places) for event_id, places in counted.items()})
        return [found.get(event_id, PlacesNow(b"")) for event_id in event_ids]

    return DataLoader(load)
