"""The map of one event as a process knows it, told once to all who watch it."""

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
from subscriptions.listening import Listener
from subscriptions.seat_folding import changed_sections, difference, fold, merged

log = logging.getLogger("boxoffice.seats")

# Changes that happen within a tick are told together.
TICK_SECONDS = 0.03
# A wake may be lost with its connection; this often the version is looked at all the same.
LOOK_SECONDS = 5.0
_RETRY_SECONDS = 0.5
# So many are told in one turn of the event loop: their messages leave before the next are told, while what
# belongs to their sockets is still in the processor's cache, and nothing else waits for thousands.
TOLD_AT_ONCE = 128


class Watcher(Listener):
    """One subscriber's bounded buffer: later statuses of a seat replace earlier ones."""

    __slots__ = ("_pending", "ended")

    def __init__(self) -> None:
        super().__init__()
        self._pending: SeatAvailabilityUpdate | None = None
        self.ended = False

    def tell(self, update: SeatAvailabilityUpdate) -> None:
        """Buffer an update; one that waits is merged with it."""
        pending = self._pending
        self._pending = update if pending is None else merged(pending, update)
        self._notify()

    def take(self) -> SeatAvailabilityUpdate | None:
        """What has changed since the last call; None where nothing has."""
        update, self._pending = self._pending, None
        return update

    def end(self) -> None:
        """Say that nothing more will come."""
        self.ended = True
        self._notify()

    def attach(self, wake: Callable[[], None]) -> None:
        """Call this from now on, instead of being waited for."""
        self._call = wake

    def detach(self) -> None:
        """Call nobody any more."""
        self._call = self._pending = None
        self.ended = True

    async def next(self) -> SeatAvailabilityUpdate | None:
        """What has changed since the last call, as soon as something has; None at the end."""
        while self._pending is None and not self.ended:
            await self._news()
        return self.take()


class SeatTopic:
    """One event's folded map, fed by one upstream subscription however many watch."""

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
        self._coming: set[Watcher] = set()
        self._watchers: dict[Watcher, None] = {}  # in order: who came together lies together in memory
        self._snapshot: SeatSnapshot | None = None
        self._told_snapshot: SeatAvailabilityUpdate | None = None
        self._ready = asyncio.Event()
        self._next_tick = 0.0
        self._is_closed = False
        self._task = asyncio.create_task(self._run())

    @property
    def watched(self) -> int:
        """How many watch, or are about to."""
        return len(self._watchers) + len(self._coming)

    async def ready(self, seconds: float) -> None:
        """Wait until the map is known.

        Raises:
            Unavailable: it is not within `seconds`.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._ready.wait()
        except TimeoutError as error:
            raise Unavailable from error

    def close(self) -> None:
        """Stop, and tell all who watch that it is over."""
        self._is_closed = True
        self._task.cancel()
        for watcher in (*self._watchers, *self._coming):
            watcher.end()

    def join(self) -> Watcher:
        """A buffer for which the map is kept up; what changes is told to it once it listens."""
        watcher = Watcher()
        self._coming.add(watcher)
        return watcher

    def listen(self, watcher: Watcher) -> None:
        """Tell it whatever comes after the folded map as it is now, until it leaves."""
        self._coming.discard(watcher)
        self._watchers[watcher] = None

    def leave(self, watcher: Watcher) -> None:
        """Tell this one nothing more."""
        self._coming.discard(watcher)
        self._watchers.pop(watcher, None)

    @property
    def version(self) -> int:
        """The version of the folded map."""
        assert self._snapshot is not None, "ready() was awaited"
        return self._snapshot.version

    def snapshot(self) -> SeatAvailabilityUpdate:
        """The whole map; the same object for all who ask at one version."""
        assert self._snapshot is not None, "ready() was awaited"
        if self._told_snapshot is None or self._told_snapshot.version != self._snapshot.version:
            places = self._snapshot.places
            self._told_snapshot = SeatAvailabilityUpdate(
                event_id=self._event_id,
                version=self._snapshot.version,
                previous_version=None,
                statuses=places[: self._seat_map.seat_count].decode(),
                changes=(),
                sections=count_sections(self._seat_map, places),
            )
        return self._told_snapshot

    async def replay(self, since: int) -> SeatAvailabilityUpdate | None:
        """One update from `since` to the folded map's version; None where that is not possible."""
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
        while not self._is_closed:  # a failing farewell may stand in for our own cancellation
            try:
                async with self._channels.subscribe(event_keys(self._event_id).channel) as mailbox:
                    await self._resync()
                    await self._follow(mailbox)
            except BoxofficeError as error:
                log.warning("seats of %s: %s; looking again", self._event_id, error)
            except Exception:
                log.exception("seats of %s: a fault of ours; looking again", self._event_id)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self, mailbox: Mailbox) -> None:
        while True:
            woken = await mailbox.wait(LOOK_SECONDS)
            if woken is None or (woken is False and await self._has_moved()):
                await self._resync()
                continue
            if woken:
                heard = time.perf_counter()
                await self._tick()
                await self._catch_up()
                self._watch_lag(time.perf_counter() - heard)

    async def _tick(self) -> None:
        """Tell the first change at once, and what follows it within a tick together."""
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(self._next_tick - clock())
        self._next_tick = clock() + TICK_SECONDS

    async def _has_moved(self) -> bool:
        assert self._snapshot is not None, "_resync was awaited"
        known = (self._snapshot.epoch, self._snapshot.version)
        return await self._context.seats.version(self._event_id) != known

    async def _catch_up(self) -> None:
        """Fold what has happened since, and tell it as one update."""
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
        await self._tell(self._update(before.version, deltas))

    async def _resync(self) -> None:
        """Read the map afresh; tell the difference, or all of it where versions have gone back."""
        before = self._snapshot
        after = await self._context.seats.snapshot(self._event_id)
        self._snapshot = after
        self._ready.set()
        if before is None or after == before:
            return
        if after.epoch != before.epoch or after.version <= before.version:
            self._told_snapshot = None
            await self._tell(self.snapshot())
            return
        changes = difference(before.places, after.places)
        await self._tell(self._update(before.version, [Delta(after.version, changes)]))

    async def _tell(self, update: SeatAvailabilityUpdate) -> None:
        """Tell all who listen by now: who comes meanwhile begins with a map that holds the update."""
        watchers = tuple(self._watchers)
        for start in range(0, len(watchers), TOLD_AT_ONCE):
            for watcher in watchers[start : start + TOLD_AT_ONCE]:
                try:
                    watcher.tell(update)
                except Exception:
                    log.exception("seats of %s: one could not be told, and is told no more", self._event_id)
                    self.leave(watcher)
                    watcher.ended = True
            await asyncio.sleep(0)
