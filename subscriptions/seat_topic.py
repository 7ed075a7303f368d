"""The map of one event as a process knows it, told once to all who watch it."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
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

    def __init__(self) -> None:
        self._pending: SeatAvailabilityUpdate | None = None
        self._told = asyncio.Event()
        self.ended = False

    def tell(self, update: SeatAvailabilityUpdate) -> None:
        """Buffer an update; one that waits is merged with it."""
        self._pending = merged(self._pending, update) if self._pending else update
        self._told.set()

    def clear(self) -> None:
        """Forget what waits, because a snapshot says it all."""
        self._pending = None
        self._told.clear()

    def end(self) -> None:
        """Say that nothing more will come."""
        self.ended = True
        self._told.set()

    async def next(self) -> SeatAvailabilityUpdate | None:
        """What has changed since the last call; None at the end."""
        await self._told.wait()
        update = self._pending
        self.clear()
        if self.ended:
            self._told.set()
        return update


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
        self._task.cancel()
        for watcher in self._watchers:
            watcher.end()

    @contextlib.contextmanager
    def watcher(self) -> Iterator[Watcher]:
        """A buffer that misses nothing from here on."""
        watcher = Watcher()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
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
        while True:
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
                await asyncio.sleep(TICK_SECONDS)
                await self._catch_up()
                self._watch_lag(time.perf_counter() - heard)

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
        for watcher in self._watchers:
            watcher.tell(update)
