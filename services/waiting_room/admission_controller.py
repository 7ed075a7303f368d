"""The admission controller: admit people, write the journal to PostgreSQL, publish, rebuild Redis."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import orjson

from db.queries.waiting_rooms import (
    QueueEntryChange,
    WaitingRoomRow,
    close_past_waiting_rooms,
    end_draining,
    entries_after,
    mark_drawn,
    points_before_draw,
    record_entries,
    shares_due,
    waiting_room_of,
    waiting_rooms_in_use,
)
from db.session import DATABASE_AWAY, Database
from domain.errors import NotFound, Unavailable
from domain.states import EventStatus, event_status
from domain.waiting_room import WaitingRoomSettings, commitment_of
from kit.clock import Clock, milliseconds, utc_now
from services.context import Publisher
from waiting_room.keys import waiting_room_keys
from waiting_room.outcomes import Change, Tick, sequence_of
from waiting_room.store import (
    ARRIVALS_SINCE_US,
    CLAIM_SECONDS,
    POINT_INTERVAL_US,
    NetworkPoints,
    Restored,
    WaitingRoomStore,
)

_DRAINED_AT_ONCE = 2000
_RESTORED_AT_ONCE = 5000
# A message names at most this many accounts with a new state; beyond it, every subscriber reads its own.
MOST_NAMED = 2000
# The waits for another process's rebuild: two seconds in all, less than a client's timeout.
_WAITS_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.6)
_NOBODY = UUID(int=0)
_SELLING = (EventStatus.ANNOUNCED, EventStatus.ON_SALE)


@dataclass(frozen=True, slots=True)
class AdmissionResult:
    """The result of one round: the script's answer, and the accounts whose state changed."""

    tick: Tick
    changed: tuple[UUID, ...]


class AdmissionController:
    """Runs the waiting rooms. Any number may run at once, because every step is safe to repeat."""

    def __init__(
        self,
        database: Database,
        room: WaitingRoomStore,
        publisher: Publisher,
        clock: Clock = utc_now,
        *,
        claim_seconds: int = CLAIM_SECONDS,
    ) -> None:
        self._database = database
        self._room = room
        self._publisher = publisher
        self._clock = clock
        self._claim_ms = claim_seconds * 1000

    async def rows(self) -> list[WaitingRoomRow]:
        """Return the waiting rooms to run, and remove those of past events.

        Raises:
            Unavailable: Redis or PostgreSQL does not answer.
        """
        try:
            over = await close_past_waiting_rooms(self._database)
            rooms = await waiting_rooms_in_use(self._database)
        except DATABASE_AWAY as error:
            raise Unavailable from error
        for event_id in over:
            await self._room.forget(event_id)
        return rooms

    async def open(self, event_id: UUID) -> None:
        """Copy an event's settings from PostgreSQL to Redis, and its entries where Redis has lost them.

        Raises:
            NotFound: There is no such event.
            Unavailable: Redis or PostgreSQL does not answer.
        """
        try:
            row = await waiting_room_of(self._database, event_id)
        except DATABASE_AWAY as error:
            raise Unavailable from error
        if row is None:
            raise NotFound("There is no such event.")
        await self.apply(row)

    async def apply(self, row: WaitingRoomRow) -> None:
        """Make Redis run the waiting room with this row's settings, rebuilding it where it is lost.

        The organiser's request and the worker may find a new waiting room at the same moment, so this waits
        for a rebuild by another process.

        Raises:
            Unavailable: Redis or PostgreSQL does not answer, or the other rebuild takes too long.
        """
        if await self._configure(row) or await self.rebuild(row):
            return
        for seconds in _WAITS_SECONDS:
            await asyncio.sleep(seconds)
            if await self._configure(row):
                return
        raise Unavailable("The waiting room is being restored; please try again in a moment.")

    async def _configure(self, row: WaitingRoomRow) -> bool:
        status = event_status(row, self._clock(), sold_out=row.sold_out)
        over = row.off_sale_at is not None and self._clock() >= row.off_sale_at
        return await self._room.configure(
            row.event_id,
            WaitingRoomSettings(
                row.enabled and not row.draining,
                row.admit_per_minute,
                row.max_active,
                row.admission_seconds,
                row.pre_queue_seconds,
            ),
            on_sale_at=row.on_sale_at,
            selling=status in _SELLING and not over,
            version=int(row.updated_at.timestamp() * 1_000_000),
        )

    async def admit(self, row: WaitingRoomRow) -> AdmissionResult:
        """Run one round: admit, and write the admissions to PostgreSQL.

        An admission is published only after PostgreSQL has it, so that a crash of Redis takes back nothing
        that anyone was promised.

        Raises:
            Unavailable: Redis or PostgreSQL does not answer.
        """
        tick = await self._room.tick(row.event_id, claim_ms=self._claim_ms)
        if tick is None:
            await self._configure(row)
            await self.rebuild(row)
            tick = await self._room.tick(row.event_id, claim_ms=self._claim_ms)
            if tick is None:
                raise Unavailable("The waiting room is being restored; please try again in a moment.")
        changed = await self._write_journal(row.event_id, tick) if tick.journal else ()
        if tick.drawn_ms and row.drawn_at is None:
            await self._write(mark_drawn(self._database, row.event_id, _datetime(tick.drawn_ms)))
        if row.draining and not tick.waiting and not tick.enabled:
            await self._write(end_draining(self._database, row.event_id))
        return AdmissionResult(tick, changed)

    async def publish(self, row: WaitingRoomRow, result: AdmissionResult) -> None:
        """Send one message for all who wait; each process computes its own subscribers' positions."""
        await self._publisher.publish(waiting_room_keys(row.event_id).channel, message_of(row, result))

    async def _write(self, work: object) -> None:
        try:
            await work  # type: ignore[misc]
        except DATABASE_AWAY as error:
            raise Unavailable from error

    async def _write_journal(self, event_id: UUID, tick: Tick) -> tuple[UUID, ...]:
        last, changed = await self._drain(event_id)
        # Where another worker has written the journal of this round, there is nothing left to trim.
        await self._room.confirm(event_id, tick.generation, through=last or "", admitted=tick.offers)
        return tuple({*changed, *tick.newly_admitted})

    async def _drain(self, event_id: UUID) -> tuple[str | None, tuple[UUID, ...]]:
        """Write the journal to PostgreSQL; return its last id and the accounts whose state changed."""
        last: str | None = None
        changed: list[UUID] = []
        while True:
            changes = await self._room.journal(event_id, after=last or "0-0", most=_DRAINED_AT_ONCE)
            if changes:
                await self._write(record_entries(self._database, event_id, folded(changes)))
                last = changes[-1].stream_id
                changed += [change.user_id for change in changes if change.state != "W"]
            if len(changes) < _DRAINED_AT_ONCE:
                return last, tuple(changed)

    async def rebuild(self, row: WaitingRoomRow) -> bool:
        """Restore from PostgreSQL the entries that Redis has lost: all of them, or those of its last second.

        The journal is written to PostgreSQL first, so that of two versions of an entry the newer one counts.

        Returns: False where another rebuild has taken over.

        Raises:
            Unavailable: Redis or PostgreSQL does not answer.
        """
        generation, drained = await self._room.close(row.event_id)
        await self._drain(row.event_id)
        after = _NOBODY
        while True:
            entries = await self._entries(row.event_id, sequence_of(drained), after)
            if not entries:
                break
            if not await self._room.restore(row.event_id, generation, entries):
                return False
            after = entries[-1].user_id
        await self._restore_networks(row)
        drawn_ms = milliseconds(row.drawn_at) if row.drawn_at else 0
        return await self._room.reopen(row.event_id, generation, drawn_ms=drawn_ms)

    async def _restore_networks(self, row: WaitingRoomRow) -> None:
        """Restore what networks have taken, so that an emptied Redis gives none a new share."""
        try:
            if row.drawn_at is None:
                found = await points_before_draw(self._database, row.event_id)
            else:
                since = milliseconds(row.drawn_at) << 16
                found = await shares_due(
                    self._database, row.event_id, since, POINT_INTERVAL_US, ARRIVALS_SINCE_US
                )
        except DATABASE_AWAY as error:
            raise Unavailable from error
        points = [NetworkPoints(network, value) for network, value in found]
        await self._room.restore_networks(row.event_id, points, drawn=row.drawn_at is not None)

    async def _entries(self, event_id: UUID, sequence: int, after: UUID) -> list[Restored]:
        try:
            rows = await entries_after(self._database, event_id, sequence, after, _RESTORED_AT_ONCE)
        except DATABASE_AWAY as error:
            raise Unavailable from error
        return [Restored(row.user_id, row.state, row.place, row.nonce, row.expires_ms) for row in rows]

    @staticmethod
    def commitment(row: WaitingRoomRow) -> str | None:
        """Return the published commitment to the draw's seed."""
        return None if row.seed is None else commitment_of(row.seed)

    @staticmethod
    def published_seed(row: WaitingRoomRow, *, drawn: bool) -> str | None:
        """Return the draw's seed, once the draw is made."""
        return row.seed.hex() if drawn and row.seed is not None else None


def folded(changes: Sequence[Change]) -> list[QueueEntryChange]:
    """Return the last state of each account."""
    last: dict[UUID, QueueEntryChange] = {}
    for change in changes:
        earlier = last.get(change.user_id)
        left = earlier is not None and (earlier.left_before or earlier.state != "W")
        joins = change.state == "W"
        join = (change.sequence, change.network, change.points) if joins else (0, "", 0)
        if earlier is not None and not joins:
            join = (earlier.joined, earlier.network, earlier.points)
        last[change.user_id] = QueueEntryChange(
            change.user_id,
            change.state,
            change.place,
            change.nonce,
            change.expires_ms,
            change.sequence,
            left,
            *join,
        )
    return list(last.values())


def message_of(row: WaitingRoomRow, result: AdmissionResult) -> str:
    """Return the result as a JSON message of totals, so that a lost message is made up for by the next."""
    tick = result.tick
    return orjson.dumps(
        {
            "generation": tick.generation,
            "drawn": tick.drawn_ms > 0,
            "selling": tick.selling,
            "admitted": tick.admitted,
            "gone": tick.gone,
            "places": tick.places_gone,
            "changed": [user_id.hex for user_id in result.changed[:MOST_NAMED]],
            "complete": len(result.changed) <= MOST_NAMED,
            "pace": [
                row.admit_per_minute,
                row.max_active,
                row.admission_seconds,
                tick.active,
                round(tick.endings, 3),
                round(tick.shopping_ms / 1000, 3),
            ],
        }
    ).decode()


def _datetime(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)
