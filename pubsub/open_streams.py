"""The number of open subscriptions by transport, over all processes behind one port."""

import asyncio
import contextlib
from collections import Counter
from uuid import uuid4

import orjson

from domain.errors import Unavailable
from kit.lua import CommandRunner
from pubsub.keys import OPEN_STREAMS
from pubsub.process_registry import ProcessRegistry

# Changes within this time are written together.
_WRITE_SECONDS = 0.2
_REFRESH_SECONDS = 5.0


class OpenStreams:
    """Counts the subscriptions of this process, and publishes the counts soon after they change."""

    def __init__(self, runner: CommandRunner) -> None:
        self._registry = ProcessRegistry(runner, OPEN_STREAMS)
        self._name = uuid4().hex
        self._own: Counter[str] = Counter()
        self._changed = asyncio.Event()

    def change(self, transport: str, by: int) -> None:
        """Count subscriptions that this process opened or closed."""
        self._own[transport] += by
        self._changed.set()

    async def keep_publishing(self) -> None:
        """Publish the counts when they change, and every few seconds, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(_REFRESH_SECONDS):
                    await self._changed.wait()
                await asyncio.sleep(_WRITE_SECONDS)
            except TimeoutError:
                pass
            self._changed.clear()
            with contextlib.suppress(Unavailable):
                await self._registry.register(self._name, orjson.dumps(dict(self._own)))

    async def totals(self) -> Counter[str]:
        """The counts of all processes.

        Raises:
            Unavailable: Redis does not answer.
        """
        totals = Counter(self._own)
        for name, entry in (await self._registry.entries()).items():
            if name != self._name:
                totals.update(orjson.loads(entry))
        return totals
