"""One event with a waiting room, on real Redis and PostgreSQL, without HTTP."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from redis.asyncio import Redis

from db.queries.waiting_rooms import WaitingRoomRow, waiting_room_of
from db.session import Database
from domain.viewer import Viewer
from domain.waiting_room import WaitingRoomSettings
from kit.ids import new_uuid
from reservations.connection import batcher, connect_server
from services.waiting_room.admission_controller import AdmissionController, AdmissionResult
from services.waiting_room.queue_tokens import QueueTokens
from services.waiting_room.waiting_rooms import WaitingRooms
from waiting_room.store import WaitingRoomStore

SECRET = "a secret of the tests, long enough to be one"
DEADLINE_SECONDS = 15.0


@dataclass
class RecordingPublisher:
    """A publisher that records its messages."""

    messages: list[dict[str, Any]] = field(default_factory=list)

    async def publish(self, channel: str, message: str) -> None:
        """Record the message."""
        assert channel.startswith("wr:{")
        self.messages.append(orjson.loads(message))


@dataclass
class Venue:
    """The event under test, and everything that acts on its waiting room."""

    database: Database
    redis: Redis
    room: WaitingRoomStore
    controller: AdmissionController
    rooms: WaitingRooms
    announcements: RecordingPublisher
    event_id: UUID
    organiser: Viewer
    log_sizes: dict[Path, int] = field(default_factory=dict)

    async def configure(self, **settings: Any) -> None:
        """Turn the waiting room on, or off with `enabled=False`."""
        await self.rooms.configure(
            self.organiser, self.event_id, WaitingRoomSettings(**{"enabled": True, **settings})
        )

    async def row(self) -> WaitingRoomRow:
        """The event as the controller sees it."""
        row = await waiting_room_of(self.database, self.event_id)
        assert row is not None
        return row

    async def tick(self) -> AdmissionResult:
        """One round of the admission worker."""
        row = await self.row()
        result = await self.controller.admit(row)
        await self.controller.publish(row, result)
        return result

    async def tick_until(self, done: Callable[[], Awaitable[bool]]) -> None:
        """Rounds without a pause, until a condition holds."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not await done():
            assert time.monotonic() < deadline, "the condition did not come true in time"
            await self.tick()

    async def crowd(self, people: int) -> list[Viewer]:
        """People who join one after the other."""
        viewers = [buyer() for _ in range(people)]
        for viewer in viewers:
            await self.rooms.join(viewer, self.event_id)
        return viewers

    async def states(self, viewers: Sequence[Viewer]) -> list[str]:
        """What each is shown."""
        entries = [await self.rooms.entry(viewer, self.event_id) for viewer in viewers]
        return [entry.state if entry else "NONE" for entry in entries]

    async def admitted(self, viewers: Sequence[Viewer]) -> int:
        """How many of them are shopping."""
        return (await self.states(viewers)).count("ADMITTED")

    async def positions(self, viewers: Sequence[Viewer]) -> list[int | None]:
        """The position of each viewer."""
        entries = [await self.rooms.entry(viewer, self.event_id) for viewer in viewers]
        return [entry.position if entry else None for entry in entries]


def buyer(*scopes: str) -> Viewer:
    """A new person."""
    user_id = new_uuid()
    return Viewer(user_id, str(user_id), None, None, frozenset(scopes or ("buy",)))


@contextlib.asynccontextmanager
async def venue_on(
    postgres_url: str, redis_url: str, *, on_sale_in: timedelta = timedelta(hours=-1)
) -> AsyncIterator[Venue]:
    """A venue with one event, whose sale starts after `on_sale_in`."""
    database = Database(postgres_url, most=4)
    redis = connect_server(redis_url, 8)
    room = WaitingRoomStore(batcher(redis))
    announcements = RecordingPublisher()
    controller = AdmissionController(database, room, announcements)
    rooms = WaitingRooms(database, room, QueueTokens(SECRET), controller)
    organiser = buyer("organise")
    event_id = await insert_event(database, organiser, datetime.now(UTC) + on_sale_in)
    try:
        yield Venue(database, redis, room, controller, rooms, announcements, event_id, organiser)
    finally:
        await redis.aclose()
        await database.close()


async def insert_event(database: Database, organiser: Viewer, on_sale_at: datetime | None) -> UUID:
    """A published event a month away."""
    event_id, venue_id = new_uuid(), new_uuid()
    starts_at = datetime.now(UTC) + timedelta(days=30)
    await database.fetch(
        "INSERT INTO users (id, subject) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        organiser.user_id,
        organiser.subject,
    )
    await database.fetch(
        "INSERT INTO venues (id, name, city, timezone) VALUES ($1, 'Hall', 'Seoul', 'Asia/Seoul')", venue_id
    )
    await database.fetch(
        """
        INSERT INTO seat_maps (version, event_id, layout, seat_count, place_count)
        VALUES ($1, $2, '{}', 0, 0)
        """,
        str(event_id),
        event_id,
    )
    await database.fetch(
        """
        INSERT INTO events (id, organiser_id, name, state, starts_at, on_sale_at, venue_id,
          seat_map_version, max_tickets_per_order)
        VALUES ($1, $2, 'Concert', 'PUBLISHED', $3, $4, $5, $6, 8)
        """,
        event_id,
        organiser.user_id,
        starts_at,
        on_sale_at,
        venue_id,
        str(event_id),
    )
    return event_id


async def wait_for(condition: Callable[[], Awaitable[bool]], seconds: float = DEADLINE_SECONDS) -> None:
    """Wait for a condition, with a deadline."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.01)
