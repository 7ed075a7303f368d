"""What a process has in hand, who waits for a place, and when somebody has to be turned away.

So many requests are worked on at once: more would only make each other wait. The next ones stand in a
queue, first come, first served. A burst is served, however long that takes. A flood, which keeps the
queue full, is another matter: then nobody waits for long, so that those who are let in are answered in time
and the others know at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic

from transport.protocol.errors import Overloaded
from transport.protocol.ports import Meters, NoMeters

from .loop_lag import LoopLag

BUSY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """What one process takes on."""

    in_flight: int = 64
    """Requests in hand at once; open streams do not count, nor who waits for an outside service."""
    queue: int = 800
    """Requests that wait for their turn."""
    elsewhere: int = 1_000
    """Requests that wait for an outside service, or for their client's bytes."""
    spare: int = 64
    """So many more in hand for the paths that come first: they tell of money that was paid."""
    flood_after_seconds: float = 0.4
    """A queue that is full and was not empty for so long is a flood, until nobody is turned away any more."""
    longest_wait_seconds: float = 0.3
    """In a flood, nobody who has waited longer is served."""
    flood_queue: int = 16
    """In a flood, so many wait: enough that no place stays free."""
    late_seconds: float = 0.4
    """Event loop later than this, lately and all the time: nothing more is taken on."""
    least_in_flight: int = 8
    """Taken on however late the loop runs: something has to move."""
    exempt: frozenset[str] = frozenset()
    """Paths that are always answered: health and metrics."""
    first: frozenset[str] = frozenset()
    """Paths that may use the spare, and wait for nobody."""


class LoadShedder:
    """The places of one process."""

    def __init__(self, limits: LoadLimits, meters: Meters | None = None) -> None:
        self.limits = limits
        self.meters = meters or NoMeters()
        self.lag = LoopLag()
        self.in_flight = 0
        self.elsewhere = 0
        self.announced = 0
        """Let in, but not yet begun: tasks that the event loop has still to start."""
        self.draining = False
        self._queue: deque[tuple[float, asyncio.Future[bool]]] = deque()
        self._queued_since = 0.0
        self._is_flood = False
        self._refused_at = float("-inf")

    @property
    def waiting(self) -> int:
        """How many stand in the queue."""
        return len(self._queue)

    def has_room(self, path: str = "") -> bool:
        """Whether a request for this path may come in: to a place, or into the queue."""
        if path in self.limits.exempt:
            return True
        if path in self.limits.first:
            return self.in_flight < self.limits.in_flight + self.limits.spare
        if self.elsewhere >= self.limits.elsewhere or self._is_late():
            return False
        coming = self.in_flight + len(self._queue) + self.announced
        return coming < self.limits.in_flight or self._may_wait(coming - self.limits.in_flight)

    def is_busy(self) -> bool:
        """Whether somebody was turned away within the last second: no time to begin a long stay."""
        return self.draining or monotonic() - self._refused_at < BUSY_SECONDS or not self.has_room()

    def note_refusal(self) -> None:
        """Count one for whom there was no room."""
        self._refused_at = monotonic()
        self.meters.refused(Overloaded.code)

    async def acquire(self, path: str = "") -> bool:
        """Take a place, after waiting for it if need be; False where waiting came to nothing."""
        if path in self.limits.first or (not self._queue and self.in_flight < self.limits.in_flight):
            self.in_flight += 1
            return True
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        now = monotonic()
        if not self._queue:
            self._queued_since = now
        self._queue.append((now, turn))
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result():
                self.release()
            raise

    def release(self) -> None:
        """A place is free: the next one's turn."""
        self.in_flight -= 1
        self.call_next()

    def call_next(self) -> None:
        """Give what is free to those who wait; in a flood, not to those who have waited too long."""
        oldest = monotonic() - self.limits.longest_wait_seconds if self._is_flood else float("-inf")
        while self._queue and self.in_flight < self.limits.in_flight:
            came_at, turn = self._queue.popleft()
            if turn.done():
                continue
            has_turn = came_at >= oldest
            self.in_flight += has_turn
            turn.set_result(has_turn)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A place for one operation that came over a stream. Raises: Overloaded."""
        if not self.has_room() or not await self.acquire():
            self._refused_at = monotonic()
            raise Overloaded
        try:
            yield
        finally:
            self.release()

    def _is_late(self) -> bool:
        is_late = self.lag.standing_seconds > self.limits.late_seconds
        return is_late and self.in_flight >= self.limits.least_in_flight

    def _may_wait(self, waiting: int) -> bool:
        limits, now = self.limits, monotonic()
        if self._is_flood:
            self._is_flood = bool(self._queue) or now - self._refused_at < BUSY_SECONDS
        if waiting < (limits.flood_queue if self._is_flood else limits.queue):
            return True
        if self._queue and now - self._queued_since > limits.flood_after_seconds:
            self._is_flood = True
        return False


class Slot:
    """One request's share of what is in hand."""

    __slots__ = ("_admission", "_elsewhere")

    def __init__(self, admission: LoadShedder) -> None:
        self._admission: LoadShedder | None = admission
        self._elsewhere = 0

    def change(self, by: int) -> None:
        """It goes to wait elsewhere (-1), and makes room; or comes back (1), and waits no more."""
        if self._admission is not None:
            self._admission.in_flight += by
            self._admission.elsewhere -= by
            self._elsewhere -= by
            self._admission.call_next()

    def release(self) -> None:
        """It is over, wherever it was."""
        if self._admission is not None:
            self._admission.in_flight -= 1 - self._elsewhere
            self._admission.elsewhere -= self._elsewhere
            self._admission.call_next()
            self._admission = None
