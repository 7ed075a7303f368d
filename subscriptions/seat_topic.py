"""The seat map of one event in one process, sent once to all its subscribers."""

import asyncio
import logging
import time
from collections.abc import Callable
from uuid import UUID

from domain.availability import count_sections
from domain.errors import BoxofficeError, Unavailable
from domain.layout import SeatMap
from domain.updates import SeatAvailabilityUpdate, SectionCount
from pubsub.channels import Channels, Mailbox
from reservations.keys import event_keys
from reservations.outcomes import Delta, SeatSnapshot
from services.context import ServiceContext
from subscriptions.seat_folding import changed_sections, difference, fold, merged
from subscriptions.signals import Signal

log = logging.getLogger("boxoffice.seats")

# Changes within a tick are sent as one update.
TICK_SECONDS = 0.03
# A wake-up may be lost with its connection, so the version is also read at this interval.
POLL_SECONDS = 5.0
_RETRY_SECONDS = 0.5
# The subscribers that one turn of the event loop serves: their messages leave while their sockets are still
# in the processor's cache, and other tasks do not wait for thousands of subscribers.
SENT_AT_ONCE = 128
LEAST_CHANGES = 256
"""Changes that wait for a subscriber before it is sent the whole map."""
SEATS_PER_CHANGE = 32
"""In JSON a change is about as long as the statuses of so many seats."""

Merges = dict[int, tuple[SeatAvailabilityUpdate, SeatAvailabilityUpdate]]
"""What waited, by its id, and what it is together with one update."""


class SeatBuffer(Signal):
    """One subscriber's bounded buffer: a later status of a seat replaces an earlier one.

    Subscribers that read as slowly as each other share their merged updates. Where many changes wait, the
    subscriber receives the whole map, which all share.
    """

    __slots__ = ("_is_behind", "_most_changes", "_pending", "_taken_version", "_whole", "ended")

    def __init__(self, whole: Callable[[], SeatAvailabilityUpdate], most_changes: int) -> None:
        super().__init__()
        self._whole = whole
        self._most_changes = most_changes
        self._pending: SeatAvailabilityUpdate | None = None
        self._is_behind = False
        self._taken_version = -1
        """The version of the whole map that was taken, which later updates may still belong to"""
        self.ended = False

    def put(self, update: SeatAvailabilityUpdate, merges: Merges) -> None:
        """Buffer an update, merged with the one that waits."""
        if update.previous_version is None:
            self._taken_version = -1
        elif update.version <= self._taken_version:
            return
        if not self._is_behind:
            self._pending = self._with(update, merges)
        self._signal()

    def _with(self, update: SeatAvailabilityUpdate, merges: Merges) -> SeatAvailabilityUpdate | None:
        pending = self._pending
        if pending is None or update.previous_version is None:
            return update
        is_whole = pending.previous_version is None
        if is_whole or len(pending.changes) + len(update.changes) > self._most_changes:
            self._is_behind = True
            return None
        known = merges.get(id(pending))
        if known is None:
            known = merges[id(pending)] = (pending, merged(pending, update))
        return known[1]

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return self._pending is None and not self._is_behind

    def take(self) -> SeatAvailabilityUpdate | None:
        """Return the changes since the last call, None where there are none."""
        if self._is_behind:
            self._is_behind = False
            update = self._whole()
            self._taken_version = update.version
            return update
        pending, self._pending = self._pending, None
        return pending

    def end(self) -> None:
        """Signal the end."""
        self.ended = True
        self._signal()

    def attach(self, wake: Callable[[], None]) -> None:
        """Call back from now on, instead of being awaited."""
        self._call = wake

    def detach(self) -> None:
        """Stop calling back."""
        self._call = self._pending = None
        self._is_behind = False
        self.ended = True

    async def next(self) -> SeatAvailabilityUpdate | None:
        """Wait for changes and return those since the last call; None at the end."""
        while self.is_empty and not self.ended:
            await self._signalled()
        return self.take()


class SeatTopic:
    """One event's map with all changes applied, behind one upstream subscription."""

    def __init__(
        self,
        context: ServiceContext,
        channels: Channels,
        event_id: UUID,
        seat_map: SeatMap,
        watch_lag: Callable[[float], None],
    ) -> None:
        self._context = context
        self._watch_lag = watch_lag
        self._channels = channels
        self._event_id = event_id
        self._seat_map = seat_map
        self._joining: set[SeatBuffer] = set()
        # An ordered set: subscribers that came together lie together in memory.
        self._buffers: dict[SeatBuffer, None] = {}
        self._snapshot: SeatSnapshot | None = None
        self._sent_snapshot: SeatAvailabilityUpdate | None = None
        self._ready = asyncio.Event()
        self._moved = asyncio.Event()
        self._mailbox: Mailbox | None = None
        self._next_tick = 0.0
        self._is_closed = False
        self._task = asyncio.create_task(self._run())

    @property
    def subscribers(self) -> int:
        """The number of subscribers, those that are joining included."""
        return len(self._buffers) + len(self._joining)

    async def ready(self, seconds: float) -> None:
        """Wait until the map was read.

        Raises:
            Unavailable: It was not read within `seconds`.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._ready.wait()
        except TimeoutError as error:
            raise Unavailable from error

    def close(self) -> None:
        """Stop, and end every subscription."""
        self._is_closed = True
        self._task.cancel()
        for buffer in (*self._buffers, *self._joining):
            buffer.end()

    def join(self) -> SeatBuffer:
        """Return a buffer that keeps the topic open; it receives changes once it is started."""
        buffer = SeatBuffer(self.snapshot, max(LEAST_CHANGES, self._seat_map.seat_count // SEATS_PER_CHANGE))
        self._joining.add(buffer)
        return buffer

    def start(self, buffer: SeatBuffer) -> None:
        """Put every change after the present map into the buffer, until it leaves."""
        self._joining.discard(buffer)
        self._buffers[buffer] = None

    def leave(self, buffer: SeatBuffer) -> None:
        """Put nothing more into the buffer."""
        self._joining.discard(buffer)
        self._buffers.pop(buffer, None)

    @property
    def version(self) -> int:
        """The version of the present map."""
        assert self._snapshot is not None, "ready() was awaited"
        return self._snapshot.version

    def snapshot(self) -> SeatAvailabilityUpdate:
        """Return the whole map; the same object for all subscribers at one version."""
        assert self._snapshot is not None, "ready() was awaited"
        if self._sent_snapshot is None or self._sent_snapshot.version != self._snapshot.version:
            places = self._snapshot.places
            self._sent_snapshot = SeatAvailabilityUpdate(
                event_id=self._event_id,
                version=self._snapshot.version,
                previous_version=None,
                statuses=places[: self._seat_map.seat_count].decode(),
                changes=(),
                sections=count_sections(self._seat_map, places),
            )
        return self._sent_snapshot

    async def reach(self, version: int, seconds: float) -> None:
        """Wait for the map that a client has seen at another process, which may have heard of it earlier.

        A version that Redis does not have is not waited for.

        Raises:
            Unavailable: The changes were not read within `seconds`.
        """
        if version <= self.version:
            return
        current = await self._context.seats.version(self._event_id)
        if current is None or current[1] < version:
            return
        try:
            async with asyncio.timeout(seconds):
                while self.version < version:
                    self._moved.clear()
                    if self._mailbox is not None:
                        self._mailbox.put(str(version))
                    await self._moved.wait()
        except TimeoutError as error:
            raise Unavailable from error

    async def replay(self, since: int) -> SeatAvailabilityUpdate | None:
        """Return one update from `since` to the present version; None where the changes are not kept."""
        snapshot, until = self._snapshot, self.version
        if not 0 <= since <= until:
            return None
        deltas = await self._context.seats.deltas_since(self._event_id, since)
        if deltas is None or self._snapshot is not snapshot:
            return None
        return self._update(since, [delta for delta in deltas if delta.version <= until])

    def _update(self, previous: int, deltas: list[Delta]) -> SeatAvailabilityUpdate:
        changes = fold(deltas)
        assert self._snapshot is not None, "there is a map to change"
        return SeatAvailabilityUpdate(
            event_id=self._event_id,
            version=deltas[-1].version if deltas else previous,
            previous_version=previous,
            statuses=None,
            changes=tuple(
                (place, state) for place, state in changes.items() if place < self._seat_map.seat_count
            ),
            sections=self._sections(changes),
        )

    def _sections(self, changes: dict[int, str]) -> tuple[SectionCount, ...]:
        assert self._snapshot is not None, "there is a map to count"
        return changed_sections(self._seat_map, self._snapshot.places, changes)

    async def _run(self) -> None:
        while not self._is_closed:  # an exception while unsubscribing may replace our own cancellation
            try:
                async with self._channels.subscribe(event_keys(self._event_id).channel) as mailbox:
                    self._mailbox = mailbox
                    await self._resync()
                    await self._follow(mailbox)
            except BoxofficeError as error:
                log.warning("seats of %s: %s; reading them again", self._event_id, error)
            except Exception:
                log.exception("seats of %s: an internal fault; reading them again", self._event_id)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self, mailbox: Mailbox) -> None:
        while True:
            woken = await mailbox.wait(POLL_SECONDS)
            if woken is None or (woken is False and await self._has_moved()):
                await self._resync()
                continue
            if woken:
                received_at = time.perf_counter()
                await self._tick()
                await self._catch_up()
                self._watch_lag(time.perf_counter() - received_at)

    async def _tick(self) -> None:
        """Wait so that the first change is sent at once, and later ones within a tick together."""
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(self._next_tick - clock())
        self._next_tick = clock() + TICK_SECONDS

    async def _has_moved(self) -> bool:
        assert self._snapshot is not None, "_resync was awaited"
        known = (self._snapshot.epoch, self._snapshot.version)
        return await self._context.seats.version(self._event_id) != known

    async def _catch_up(self) -> None:
        """Apply the changes since the present map, and send them as one update."""
        before = self._snapshot
        assert before is not None, "_resync was awaited"
        deltas = await self._context.seats.deltas_since(self._event_id, before.version)
        if deltas is None:
            await self._resync()
            return
        if not deltas:
            return
        places = bytearray(before.places)
        for place, state in fold(deltas).items():
            places[place] = ord(state)
        self._snapshot = SeatSnapshot(before.epoch, deltas[-1].version, bytes(places))
        self._moved.set()
        await self._send(self._update(before.version, deltas))

    async def _resync(self) -> None:
        """Read the map again; send the difference, or the whole map where versions have gone back."""
        before = self._snapshot
        after = await self._context.seats.snapshot(self._event_id)
        self._snapshot = after
        self._ready.set()
        self._moved.set()
        if before is None or after == before:
            return
        if after.epoch != before.epoch or after.version <= before.version:
            self._sent_snapshot = None
            await self._send(self.snapshot())
            return
        changes = difference(before.places, after.places)
        await self._send(self._update(before.version, [Delta(after.version, changes)]))

    async def _send(self, update: SeatAvailabilityUpdate) -> None:
        """Send to the present subscribers; a later one begins with a map that contains the update."""
        buffers = tuple(self._buffers)
        merges: Merges = {}
        for start in range(0, len(buffers), SENT_AT_ONCE):
            for buffer in buffers[start : start + SENT_AT_ONCE]:
                try:
                    buffer.put(update, merges)
                except Exception:
                    log.exception("seats of %s: a subscriber failed and was removed", self._event_id)
                    self.leave(buffer)
                    buffer.ended = True
            await asyncio.sleep(0)
