"""The load shedder: how many requests a process works on, which ones queue, and which ones are refused.

A bounded number of requests is worked on at once, since more would only make each other wait. The next ones
queue, first in, first out. A burst is served however long that takes. When overload keeps the queue full, no
request waits for long: those that are admitted are answered in time, and the others are refused at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Protocol, TypeVar

from transport.protocol.errors import Overloaded
from transport.protocol.ports import Meters, NoMeters

from .loop_lag import LoopLag

T = TypeVar("T")
BUSY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """The load that one process accepts."""

    in_flight: int = 64
    """Requests worked on at once, without open streams and requests that wait for an outside service."""
    queue: int = 800
    """Requests that wait for a slot."""
    elsewhere: int = 1_000
    """Requests that wait for an outside service, or for their client's bytes."""
    spare: int = 64
    """Slots beyond `in_flight` for the paths in `first`."""
    overload_after_seconds: float = 0.4
    """A full queue that has not been empty for this long means overload, until refusals end."""
    longest_wait_seconds: float = 0.3
    """During overload, a request that has waited longer is refused."""
    overload_queue: int = 16
    """The queue's bound during overload: enough to keep every slot in use."""
    late_seconds: float = 0.4
    """The standing lag of the event loop above which no request is admitted."""
    least_in_flight: int = 8
    """Admitted whatever the lag, so that work goes on."""
    exempt: frozenset[str] = frozenset()
    """Paths that are always answered: health and metrics."""
    first: frozenset[str] = frozenset()
    """Paths that may use the spare slots and never queue."""
    message: str = "The server is very busy; please try again in a moment."
    """The text of a refusal."""


class AdmittedRequest(Protocol):
    """The deadline and the count of an admitted request, as the application keeps them."""

    def let_go(self) -> None:
        """Lift the deadline and stop counting: the request has become a stream."""


Enter = Callable[[Callable[[int], None]], AbstractContextManager[AdmittedRequest]]
"""Enters a request; calls what it is given with -1 and 1 around each wait for an outside service."""


class LoadShedder:
    """The slots and the queue of one process."""

    def __init__(self, limits: LoadLimits, meters: Meters | None = None) -> None:
        self.limits = limits
        self.meters = meters or NoMeters()
        self.lag = LoopLag()
        self.in_flight = 0
        self.elsewhere = 0
        self.announced = 0
        """Admitted, but not started: tasks that the event loop has still to run."""
        self.draining = False
        self._queue: deque[tuple[float, asyncio.Future[bool]]] = deque()
        self._queued_since = 0.0
        self._is_overloaded = False
        self._refused_at = float("-inf")

    @property
    def waiting(self) -> int:
        """The length of the queue."""
        return len(self._queue)

    def has_room(self, path: str = "") -> bool:
        """Whether a request for this path is admitted now, to a slot or to the queue."""
        if path in self.limits.exempt:
            return True
        if path in self.limits.first:
            return self.in_flight < self.limits.in_flight + self.limits.spare
        if self.elsewhere >= self.limits.elsewhere or self._is_late():
            return False
        admitted = self.in_flight + len(self._queue) + self.announced
        return admitted < self.limits.in_flight or self._may_queue(admitted - self.limits.in_flight)

    def is_busy(self) -> bool:
        """Whether a request was refused within the last second: too busy for a new long-lived connection."""
        return self.draining or monotonic() - self._refused_at < BUSY_SECONDS or not self.has_room()

    def note_refusal(self) -> None:
        """Count a refused request."""
        self._refused_at = monotonic()
        self.meters.refused(Overloaded.code)

    async def acquire(self, path: str = "") -> bool:
        """Acquire a slot, queueing where necessary; False where none became free in time."""
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
        """Free a slot, for the next in the queue."""
        self.in_flight -= 1
        self.wake_queue()

    def wake_queue(self) -> None:
        """Hand free slots to the queue; during overload, skip requests that have waited too long."""
        oldest = monotonic() - self.limits.longest_wait_seconds if self._is_overloaded else float("-inf")
        while self._queue and self.in_flight < self.limits.in_flight:
            queued_at, turn = self._queue.popleft()
            if turn.done():
                continue
            is_admitted = queued_at >= oldest
            self.in_flight += is_admitted
            turn.set_result(is_admitted)

    async def run(self, path: str, enter: Enter, work: Callable[[Slot], Awaitable[T]]) -> T | None:
        """Do a request's work in a slot, within its deadline; None where no slot became free in time."""
        if not await self.acquire(path):
            return None
        slot = Slot(self)
        try:
            with enter(slot.change) as request:
                slot.request = request
                return await work(slot)
        finally:
            slot.release()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A slot for one operation that came over a stream. Raises: Overloaded."""
        if not self.has_room() or not await self.acquire():
            self._refused_at = monotonic()
            raise Overloaded(self.limits.message)
        try:
            yield
        finally:
            self.release()

    def _is_late(self) -> bool:
        is_late = self.lag.standing_seconds > self.limits.late_seconds
        return is_late and self.in_flight >= self.limits.least_in_flight

    def _may_queue(self, waiting: int) -> bool:
        limits, now = self.limits, monotonic()
        if self._is_overloaded:
            self._is_overloaded = bool(self._queue) or now - self._refused_at < BUSY_SECONDS
        if waiting < (limits.overload_queue if self._is_overloaded else limits.queue):
            return True
        if self._queue and now - self._queued_since > limits.overload_after_seconds:
            self._is_overloaded = True
        return False


class Slot:
    """One request's share of the load."""

    __slots__ = ("_elsewhere", "_shedder", "request")

    def __init__(self, shedder: LoadShedder) -> None:
        self._shedder: LoadShedder | None = shedder
        self._elsewhere = 0
        self.request: AdmittedRequest | None = None

    def change(self, by: int) -> None:
        """Leave the slot to wait elsewhere (-1), or come back (1) without queueing again."""
        if self._shedder is not None:
            self._shedder.in_flight += by
            self._shedder.elsewhere -= by
            self._elsewhere -= by
            self._shedder.wake_queue()

    def become_stream(self) -> None:
        """Release the slot and lift the deadline: the response goes on for as long as its client reads."""
        if self.request is not None:
            self.request.let_go()
        self.release()

    def release(self) -> None:
        """Free the slot; a second call does nothing."""
        if self._shedder is not None:
            self._shedder.in_flight -= 1 - self._elsewhere
            self._shedder.elsewhere -= self._elsewhere
            self._shedder.wake_queue()
            self._shedder = None
