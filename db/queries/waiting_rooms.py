"""Waiting rooms: their settings, their seeds and their queue entries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.queries.orders import Source
from db.session import Connection, Database
from db.sql import statement
from domain.waiting_room import FIRST_UNDRAWN_PLACE

_ROOM = """
  SELECT events.id AS event_id, events.state, events.starts_at, events.ends_at, events.on_sale_at,
    events.off_sale_at, events.sold_out, events.organiser_id, events.updated_at,
    coalesce(events.max_tickets_per_person, events.max_tickets_per_order) AS max_per_person,
    events.waiting_room_enabled AS enabled,
    events.waiting_room_admit_per_minute AS admit_per_minute,
    events.waiting_room_max_active AS max_active,
    events.waiting_room_admission_seconds AS admission_seconds,
    events.waiting_room_pre_queue_seconds AS pre_queue_seconds,
    room.seed, room.drawn_at, coalesce(room.draining, false) AS draining
  FROM events LEFT JOIN waiting_rooms AS room ON room.event_id = events.id
"""


@dataclass(frozen=True, slots=True)
class WaitingRoomRow:
    """An event with its waiting room; `seed` is None where it never had one."""

    event_id: UUID
    state: str
    starts_at: datetime
    ends_at: datetime | None
    on_sale_at: datetime | None
    off_sale_at: datetime | None
    sold_out: bool
    organiser_id: UUID | None
    updated_at: datetime
    max_per_person: int
    """The live tickets that one person may have"""
    enabled: bool
    admit_per_minute: int
    max_active: int
    admission_seconds: int
    pre_queue_seconds: int
    seed: bytes | None
    drawn_at: datetime | None
    draining: bool


@dataclass(frozen=True, slots=True)
class QueueEntryRow:
    """An account's queue entry, as last written."""

    user_id: UUID
    state: str
    place: int
    nonce: str
    expires_ms: int


@dataclass(frozen=True, slots=True)
class QueueEntryChange:
    """A change of a queue entry; `left_before`: the account left its former place in the same batch.

    `joined` is the sequence of the join among the changes, 0 without one; `network` (its digest, "" where
    none counts) and `points` are what that join took.
    """

    user_id: UUID
    state: str
    place: int
    nonce: str
    expires_ms: int
    sequence: int
    left_before: bool
    joined: int = 0
    network: str = ""
    points: int = 0


async def waiting_room_of(source: Source, event_id: UUID) -> WaitingRoomRow | None:
    """One event's waiting room."""
    row = await source.fetchrow(f"{_ROOM} WHERE events.id = $1", event_id)
    return WaitingRoomRow(**row) if row else None


async def waiting_rooms_of(source: Source, event_ids: Sequence[UUID]) -> dict[UUID, WaitingRoomRow]:
    """The waiting rooms of these events."""
    rows = await source.fetch(f"{_ROOM} WHERE events.id = ANY ($1::uuid[])", list(event_ids))
    return {row["event_id"]: WaitingRoomRow(**row) for row in rows}


async def waiting_rooms_in_use(source: Source) -> list[WaitingRoomRow]:
    """The waiting rooms that are on or draining."""
    rows = await source.fetch(f"{_ROOM} WHERE events.waiting_room_enabled")
    return [WaitingRoomRow(**row) for row in rows]


async def close_past_waiting_rooms(source: Source) -> list[UUID]:
    """Switch off the waiting rooms of events that ended over a day ago; returns the events."""
    rows = await source.fetch(
        """
        UPDATE events SET waiting_room_enabled = false
        WHERE waiting_room_enabled
          AND coalesce(ends_at, starts_at + interval '6 hours') < now() - interval '1 day'
        RETURNING id
        """
    )
    return [row["id"] for row in rows]


async def set_waiting_room(
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
    """Set how an event's waiting room runs; `seed` is stored the first time only."""
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
    """End the draining: the last person is admitted, and `reserve` need not ask any more."""
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
    """Record that the sale has begun and the seed is public; the first time stays."""
    await source.fetch(
        "UPDATE waiting_rooms SET drawn_at = $2 WHERE event_id = $1 AND drawn_at IS NULL", event_id, drawn_at
    )


async def record_entries(source: Source, event_id: UUID, changes: Sequence[QueueEntryChange]) -> None:
    """Write changes, at most one an account; see db/sql/record_queue.sql."""
    # Sorted, so that two writers of the same accounts cannot deadlock.
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
        FIRST_UNDRAWN_PLACE,
        [change.joined if change.network else None for change in changes],
        [change.network or None for change in changes],
        [change.points if change.network else None for change in changes],
    )


async def tickets_of_persons(
    source: Source, events: Sequence[UUID], persons: Sequence[tuple[UUID, UUID | None]], at: datetime
) -> list[int]:
    """The live tickets of persons (their key, and that of their verified address), each at an event."""
    rows = await source.fetch(
        statement("tickets_of_persons"),
        events,
        [person for person, _ in persons],
        [address for _, address in persons],
        at,
    )
    found = {row["number"]: row["tickets"] for row in rows}
    return [found.get(number, 0) for number in range(1, len(events) + 1)]


async def entries_after(
    source: Source, event_id: UUID, sequence: int, after_user: UUID, most: int
) -> list[QueueEntryRow]:
    """Entries that changed after `sequence`, by user id, after `after_user`."""
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
    return [QueueEntryRow(**row) for row in rows]


async def points_before_draw(source: Source, event_id: UUID) -> list[tuple[str, int]]:
    """The points that each network has taken of the draw."""
    rows = await source.fetch(
        """
        SELECT network, sum(points)::bigint AS points FROM queue_entries
        WHERE event_id = $1 AND network IS NOT NULL GROUP BY network
        """,
        event_id,
    )
    return [(row["network"], row["points"]) for row in rows]


async def shares_due(
    source: Source, event_id: UUID, since: int, interval_us: int, epoch_us: int
) -> list[tuple[str, int]]:
    """The arrival number at which each network's share is whole again, from its joins after a sequence.

    The joins of a network raise it one after the other to max(arrival, number before) + points x interval;
    that is the highest of arrival + interval x the points from this join on.
    """
    rows = await source.fetch(
        """
        SELECT network, max(arrival + $3 * later)::bigint AS due FROM (
          SELECT network, (joined >> 16) * 1000 - $4 AS arrival,
            sum(points) OVER (PARTITION BY network ORDER BY joined DESC) AS later
          FROM queue_entries WHERE event_id = $1 AND network IS NOT NULL AND joined > $2
        ) AS joins GROUP BY network
        """,
        event_id,
        since,
        interval_us,
        epoch_us,
    )
    return [(row["network"], row["due"]) for row in rows]


async def draw_results(database: Database, event_id: UUID) -> list[tuple[UUID, int]]:
    """The users of the draw with their places, in the order of the places."""
    rows = await database.fetch(
        """
        SELECT user_id, drawn_place FROM queue_entries
        WHERE event_id = $1 AND drawn_place IS NOT NULL ORDER BY drawn_place, user_id
        """,
        event_id,
    )
    return [(row["user_id"], row["drawn_place"]) for row in rows]
