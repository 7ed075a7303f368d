"""A loop that survives failures of its job."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from kit.log_context import bound
from kit.tasks import is_being_cancelled

log = logging.getLogger("boxoffice.worker")

_LONGEST_PAUSE_SECONDS = 2.0


class Watch(Protocol):
    """Observes every round of a loop."""

    def __call__(self, name: str, found: int, *, failed: bool) -> None:
        """Record a round: its loop, the work that it found, and whether it failed."""


def _unwatched(name: str, found: int, *, failed: bool) -> None:
    """Ignore the round."""


async def _nothing() -> None:
    """Do nothing."""


@dataclass(slots=True)
class Loop:
    """One job that runs again after `pause_seconds`, or at once where it found work.

    `job` returns the amount of work that it found. `wake` cuts the pause short. `at_end` runs at a stop.
    """

    name: str
    job: Callable[[], Awaitable[int]]
    pause_seconds: float
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    last_finished: float = field(default_factory=time.monotonic)
    watch: Watch = _unwatched
    at_end: Callable[[], Awaitable[None]] = _nothing

    async def run(self) -> None:
        """Run until cancelled. A failure is logged, and makes the next pauses longer.

        A cancellation that a failure replaces is still a cancellation.
        """
        faults = 0
        while True:
            found = 0
            try:
                found = await self.job()
                faults, self.last_finished = 0, time.monotonic()
            except Exception as fault:
                if is_being_cancelled():  # and the fault came from cleaning up
                    raise asyncio.CancelledError from fault
                faults += 1
                with bound(loop=self.name):
                    log.warning("round failed (%d in a row): %s: %s", faults, type(fault).__name__, fault)
            self.watch(self.name, found, failed=faults > 0)
            if found == 0 or faults:
                await self._pause(faults)

    async def _pause(self, faults: int) -> None:
        longest = max(self.pause_seconds, _LONGEST_PAUSE_SECONDS)
        seconds = min(self.pause_seconds * 2**faults, longest)
        self.wake.clear()
        try:
            async with asyncio.timeout(seconds * (0.9 + random.random() / 5)):  # noqa: S311 - jitter
                await self.wake.wait()
        except TimeoutError:
            return
