"""How late the event loop runs: the queue that every request of a process stands in."""

from __future__ import annotations

import asyncio
from collections import deque

TICK_SECONDS = 0.02
WINDOW = 5


class LoopLag:
    """Wakes every 20 ms and notes how late it was woken.

    What counts is the least of the last five: a single pause says nothing, a queue that never
    empties does (CoDel, RFC 8289, section 3.1).
    """

    def __init__(self) -> None:
        self._late: deque[float] = deque([0.0] * WINDOW, WINDOW)
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def standing_seconds(self) -> float:
        """How long whatever becomes ready has to wait, at least, lately."""
        return min(self._late)

    @property
    def latest_seconds(self) -> float:
        """How late the last look was."""
        return self._late[-1]

    def start(self) -> None:
        """Watch the running loop."""
        loop = asyncio.get_running_loop()
        self._due = loop.time() + TICK_SECONDS
        self._timer = loop.call_later(TICK_SECONDS, self._tick, loop)

    def stop(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        self._late.append(max(0.0, now - self._due))
        self._due = now + TICK_SECONDS
        self._timer = loop.call_later(TICK_SECONDS, self._tick, loop)
