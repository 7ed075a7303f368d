"""The metrics of every process, for the process that Prometheus scrapes."""

import asyncio
import contextlib
from collections.abc import Callable

from domain.errors import Unavailable
from kit.lua import CommandRunner
from pubsub.keys import PROCESS_METRICS
from pubsub.process_registry import ProcessRegistry

INTERVAL_SECONDS = 2.0


class ProcessMetrics:
    """Publishes the metrics of this process every two seconds, and reads those of the others.

    Args:
        own: the packed metrics of this process.
    """

    def __init__(self, runner: CommandRunner, name: str, own: Callable[[], bytes]) -> None:
        self._registry = ProcessRegistry(runner, PROCESS_METRICS)
        self._name = name
        self._own = own

    async def keep_publishing(self) -> None:
        """Publish until cancelled, then remove this process from the registry."""
        try:
            while True:
                with contextlib.suppress(Unavailable):
                    await self._registry.register(self._name, self._own())
                await asyncio.sleep(INTERVAL_SECONDS)
        finally:
            with contextlib.suppress(Unavailable):
                await asyncio.shield(self._registry.remove(self._name))

    async def others(self) -> dict[str, bytes]:
        """The packed metrics of every other process by name; none while Redis does not answer."""
        try:
            entries = await self._registry.entries()
        except Unavailable:
            return {}
        return {name: entry for name, entry in entries.items() if name != self._name}
