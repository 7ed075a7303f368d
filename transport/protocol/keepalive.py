"""One timer for all open connections: it pings, and drops slow and silent clients."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol


class Beating(Protocol):
    """A connection with a heartbeat."""

    def beat(self, now: float) -> None:
        """Ping the client, or drop it where it has been slow or silent for too long."""


class Heartbeat:
    """Calls every open connection once an interval; runs only while there are any."""

    def __init__(self, interval_seconds: float) -> None:
        self._interval_seconds = interval_seconds
        self._members: set[Beating] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, member: Beating) -> None:
        """Call this connection from now on."""
        self._members.add(member)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def remove(self, member: Beating) -> None:
        """Forget a connection that has ended."""
        self._members.discard(member)

    async def aclose(self) -> None:
        """Stop the timer."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while self._members:
            await asyncio.sleep(self._interval_seconds)
            now = asyncio.get_running_loop().time()
            for member in list(self._members):
                member.beat(now)
