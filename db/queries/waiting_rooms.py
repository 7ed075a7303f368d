"""Lines: their settings, their seeds, and where everyone stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.queries.orders import Source
from db.session import Connection, Database
from db.sql import statement
from domain.waiting_room import LATER_ARRIVALS

_ROOM = """
  SELECT events.id AS event_id, events.state, events.starts_at, events.ends_at, events.on_sale_at,
    events.off_sale_at, events.sold_out, events.organiser_id, events.updated_at,
    events.waiting_room_enabled AS enabled,
    events.waiting_room_admit_per_minute AS admit_per_minute,
    events.waiting_room_max_active AS max_active,
    events.waiting_room_admission_seconds AS admission_seconds,
    events.waiting_room_pre_queue_seconds AS pre_queue_seconds,
    room.seed, room.drawn_at, coalesce(room.draining, false) AS draining
  FROM events LEFT JOIN waiting_rooms AS room ON room.event_id = events.id
"""


@dataclass(frozen=True, slots=True)
class RoomRow:
    """An event as its line sees it; `seed` is None where it never had one."""

    event_id: UUID
    state: str
    starts_at: datetime
    ends_at: datetime | None
    on_sale_at: datetime | None
    off_sale_at: datetime | None
    sold_out: bool
    organiser_id: UUID | None
    updated_at: datetime
    enabled: bool
    admit_per_minute: int
    max_active: int
    admission_seconds: int
    pre_queue_seconds: int
    seed: bytes | None
    drawn_at: datetime | None
    draining: bool


@dataclass(frozen=True, slots=True)
class EntryRow:
    """Where an account stands, as last written."""

    user_id: UUID
    state: str
    place: int
    nonce: str
    expires_ms: int


@dataclass(frozen=True, slots=True)
class EntryChange:
    """What became of an account; `left_before`: it gave up its former place in the same batch."""

    user_id: UUID
    state: str
    place: int
    nonce: str
    expires_ms: int
    sequence: int
    left_before: bool


async def room_of(source: Source, event_id: UUID) -> RoomRow | None:
    """One event's line."""
    row = await source.fetchrow(f"{_ROOM} WHERE events.id = $1", event_id)
    return RoomRow(**row) if row else None


async def rooms_of(source: Source, event_ids: Sequence[UUID]) -> dict[UUID, RoomRow]:
    """These events' lines."""
    rows = await source.fetch(f"{_ROOM} WHERE events.id = ANY ($1::uuid[])", list(event_ids))
    return {row["event_id"]: RoomRow(**row) for row in rows}


async def rooms_in_use(source: Source) -> list[RoomRow]:
    """The lines that are switched on or still emptying."""
    rows = await source.fetch(f"{_ROOM} WHERE events.waiting_room_enabled")
    return [RoomRow(**row) for row in rows]


async def end_rooms_of_past_events(source: Source) -> list[UUID]:
    """Switch off the lines of events that were over a day ago; which they were."""
    rows = await source.fetch(
        """
        UPDATE events SET waiting_room_enabled = false
        WHERE waiting_room_enabled
          AND coalesce(ends_at, starts_at + interval '6 hours') < now() - interval '1 day'
        RETURNING id
        """
    )
    return [row["id"] for row in rows]


async def switch_room(
    connection: Connection,
    event_id: UUID,
    *,
    asking: bool,
    draining: bool,
    admit_per_minute: int,
    max_active: int,
    admission_seconds: int,
    pre_queue_seconds: int,
    seed: bytes,
) -> None:
    """Set how an event's line runs; `seed` counts the first time only."""
    await connection.execute(
        """
        UPDATE events SET waiting_room_enabled = $2, waiting_room_admit_per_minute = $3,
          waiting_room_max_active = $4, waiting_room_admission_seconds = $5,
          waiting_room_pre_queue_seconds = $6,
          updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')
        WHERE id = $1
        """,
        event_id,
        asking,
        admit_per_minute,
        max_active,
        admission_seconds,
        pre_queue_seconds,
    )
    await connection.execute(
        """
        INSERT INTO waiting_rooms (event_id, seed, draining) VALUES ($1, $2, $3)
        ON CONFLICT (event_id) DO UPDATE SET draining = excluded.draining
        """,
        event_id,
        seed,
        draining,
    )


async def end_draining(source: Source, event_id: UUID) -> None:
    """The last one is through: reserve need not ask any more."""
    await source.fetch(
        """
        WITH emptied AS (
          UPDATE waiting_rooms SET draining = false WHERE event_id = $1 AND draining RETURNING event_id
        )
        UPDATE events SET waiting_room_enabled = false FROM emptied WHERE events.id = emptied.event_id
        """,
        event_id,
    )


async def mark_drawn(source: Source, event_id: UUID, drawn_at: datetime) -> None:
    """The sale has begun and the seed is public; the first time stands."""
    await source.fetch(
        "UPDATE waiting_rooms SET drawn_at = $2 WHERE event_id = $1 AND drawn_at IS NULL", event_id, drawn_at
    )


async def record_entries(source: Source, event_id: UUID, changes: Sequence[EntryChange]) -> None:
    """Write changes, one an account; see db/sql/record_queue.sql."""
    # Sorted, so that two writers of the same people wait for each other instead of deadlocking.
    changes = sorted(changes, key=lambda change: change.user_id)
    await source.fetch(
        statement("record_queue"),
        event_id,
        [change.user_id for change in changes],
        [change.state for change in changes],
        [change.place for change in changes],
        [change.nonce for change in changes],
        [change.expires_ms for change in changes],
        [change.sequence for change in changes],
        [change.user_id for change in changes if change.left_before],
        LATER_ARRIVALS,
    )


async def entries_after(
    source: Source, event_id: UUID, sequence: int, after_user: UUID, most: int
) -> list[EntryRow]:
    """People whose state changed after `sequence`, by user id, from `after_user` on."""
    rows = await source.fetch(
        """
        SELECT user_id, state, place, nonce, expires_ms FROM queue_entries
        WHERE event_id = $1 AND sequence > $2 AND user_id > $3 ORDER BY user_id LIMIT $4
        """,
        event_id,
        sequence,
        after_user,
        most,
    )
    return [EntryRow(**row) for row in rows]


async def drawn_line(database: Database, event_id: UUID) -> list[tuple[UUID, int]]:
    """Everyone who was in the draw with the place it gave, in that order."""
    rows = await database.fetch(
        """
        SELECT user_id, drawn_place FROM queue_entries
        WHERE event_id = $1 AND drawn_place IS NOT NULL ORDER BY drawn_place, user_id
        """,
        event_id,
    )
    return [(row["user_id"], row["drawn_place"]) for row in rows]
