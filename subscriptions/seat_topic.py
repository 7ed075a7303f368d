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
from services.office import Office
from subscriptions.seat_folding import changed_sections, difference, fold, merged

log = logging.getLogger("boxoffice.seats")

# Changes that happen within a tick are told together.
TICK_SECONDS = 0.03
# A wake may be lost with its connection; this often the version is looked at all the same.
LOOK_SECONDS = 5.0
_RETRY_SECONDS = 0.5


class Watcher:
    """One subscriber's bounded buffer: later statuses of a seat replace earlier ones."""

    __slots__ = ("_pending", "_waiting", "_wake", "ended")

    def __init__(self) -> None:
        self._pending: SeatAvailabilityUpdate | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._wake: Callable[[], None] | None = None
        self.ended = False

    def tell(self, update: SeatAvailabilityUpdate) -> None:
        """Buffer an update; one that waits is merged with it."""
        pending = self._pending
        self._pending = update if pending is None else merged(pending, update)
        if self._wake is not None:
            self._wake()
        else:
            self._resume()

    def take(self) -> SeatAvailabilityUpdate | None:
        """What has changed since the last call; None where nothing has."""
        update, self._pending = self._pending, None
        return update

    def end(self) -> None:
        """Say that nothing more will come."""
        self.ended = True
        if self._wake is not None:
            self._wake()
        else:
            self._resume()

    def attach(self, wake: Callable[[], None]) -> None:
        """Call this from now on, instead of being waited for."""
        self._wake = wake

    def detach(self) -> None:
        """Call nobody any more."""
        self._wake = self._pending = None
        self.ended = True

    async def next(self) -> SeatAvailabilityUpdate | None:
        """What has changed since the last call, as soon as something has; None at the end."""
        while self._pending is None and not self.ended:
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        return self.take()

    def _resume(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class SeatTopic:
    """One event's folded map, fed by one upstream subscription however many watch."""

    def __init__(
        self,
        office: Office,
        channels: Channels,
        event_id: UUID,
        seat_map: SeatMap,
        watch_lag: Callable[[float], None],
    ) -> None:
        self._office = office
        self._watch_lag = watch_lag
        self._channels = channels
        self._event_id = event_id
        self._seat_map = seat_map
        self._watchers: set[Watcher] = set()
        self._snapshot: SeatSnapshot | None = None
        self._told_snapshot: SeatAvailabilityUpdate | None = None
        self._ready = asyncio.Event()
        self._next_tick = 0.0
        self._is_closed = False
        self._task = asyncio.create_task(self._run())

    @property
    def watched(self) -> int:
        """How many watch."""
        return len(self._watchers)

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
        for watcher in tuple(self._watchers):
            watcher.end()

    def join(self) -> Watcher:
        """A buffer that misses nothing from here on, until it leaves."""
        watcher = Watcher()
        self._watchers.add(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """Tell this one nothing more."""
        self._watchers.discard(watcher)

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
        until = self.version
        if since > until:
            return None
        deltas = await self._office.seats.deltas_since(self._event_id, since)
        if deltas is None or self.version != until:
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
        return await self._office.seats.version(self._event_id) != known

    async def _catch_up(self) -> None:
        """Fold what has happened since, and tell it as one update."""
        before = self._snapshot
        assert before is not None, "_resync was awaited"
        deltas = await self._office.seats.deltas_since(self._event_id, before.version)
        if deltas is None:
            await self._resync()
            return
        if not deltas:
            return
        places = bytearray(before.places)
        for place, state in fold(deltas).items():
            places[place] = ord(state)
        self._snapshot = SeatSnapshot(before.epoch, deltas[-1].version, bytes(places))
        self._tell(self._update(before.version, deltas))

    async def _resync(self) -> None:
        """Read the map afresh; tell the difference, or all of it where versions have gone back."""
        before = self._snapshot
        after = await self._office.seats.snapshot(self._event_id)
        self._snapshot = after
        self._ready.set()
        if before is None or after == before:
            return
        if after.epoch != before.epoch or after.version <= before.version:
            self._told_snapshot = None
            self._tell(self.snapshot())
            return
        changes = difference(before.places, after.places)
        self._tell(self._update(before.version, [Delta(after.version, changes)]))

    def _tell(self, update: SeatAvailabilityUpdate) -> None:
        for watcher in tuple(self._watchers):  # whoever is told may leave
            watcher.tell(update)
