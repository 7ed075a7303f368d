"""The lag of the event loop, which delays every request of a process."""

from __future__ import annotations

import asyncio
from collections import deque

TICK_SECONDS = 0.02
WINDOW = 5


class LoopLag:
    """Wakes every 20 ms and measures the delay.

    The least of the last five delays counts: a single pause means nothing, a queue that never
    empties does (CoDel, RFC 8289, section 3.1).
    """

    def __init__(self) -> None:
        self._late: deque[float] = deque([0.0] * WINDOW, WINDOW)
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def standing_seconds(self) -> float:
        """The delay that every ready callback lately had, in seconds."""
        return min(self._late)

    def start(self) -> None:
        """Start measuring the running loop."""
        loop = asyncio.get_running_loop()
        self._due = loop.time() + TICK_SECONDS
        self._timer = loop.call_later(TICK_SECONDS, self._tick, loop)

    def stop(self) -> None:
        """Stop measuring."""
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        self._late.append(max(0.0, now - self._due))
        self._due = now + TICK_SECONDS
        self._timer = loop.call_later(TICK_SECONDS, self._tick, loop)
