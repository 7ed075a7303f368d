"""The open connections of each network, over all processes behind one Redis."""

import asyncio
from collections import Counter
from collections.abc import Hashable
from uuid import uuid4

import orjson

from domain.errors import Unavailable
from kit.lua import CommandRunner
from pubsub.keys import NETWORK_CONNECTIONS
from pubsub.process_registry import ProcessRegistry

EXCHANGE_SECONDS = 1.0
# The clients of a process that dies connect to another one: they must not count twice for long.
_LIFETIME_SECONDS = 4.0
# A network with fewer connections at a process, in parts of its limit, is not worth a message to the others.
_SMALL_PART = 100


class NetworkConnections:
    """Counts this process's connections by network, and exchanges the large counts with the other processes.

    What others have is known a second late, so that together a network may open more than `most` by what it
    opens in that second, and by a hundredth of `most` at each process. While Redis is away each process
    counts for itself.

    Args:
        most: The most connections of a network; 0 counts nothing.
    """

    def __init__(
        self, runner: CommandRunner, most: int, *, exchange_seconds: float = EXCHANGE_SECONDS
    ) -> None:
        self._registry = ProcessRegistry(runner, NETWORK_CONNECTIONS, lifetime_seconds=_LIFETIME_SECONDS)
        self._name = uuid4().hex
        self._most = most
        self._exchange_seconds = exchange_seconds
        self._own: Counter[str] = Counter()
        self._others: Counter[str] = Counter()
        self._is_published = False

    def change(self, network: Hashable, by: int) -> None:
        """Count connections that this process opened or closed."""
        name = str(network)
        self._own[name] += by
        if not self._own[name]:
            del self._own[name]

    def elsewhere(self, network: Hashable) -> int:
        """The connections of a network at the other processes, as far as they are known."""
        return self._others[str(network)]

    async def keep_exchanging(self) -> None:
        """Publish and read the counts every second until cancelled; if all are small, Redis is not asked."""
        while True:
            await asyncio.sleep(self._exchange_seconds)
            try:
                await self._exchange()
            except Unavailable:
                self._others.clear()

    async def _exchange(self) -> None:
        least = max(1, self._most // _SMALL_PART)
        large = {network: count for network, count in self._own.items() if count >= least}
        if not large:
            self._others.clear()
            if self._is_published:
                await self._registry.remove(self._name)
                self._is_published = False
            return
        await self._registry.register(self._name, orjson.dumps(large))
        self._is_published = True
        others: Counter[str] = Counter()
        for name, entry in (await self._registry.entries()).items():
            if name != self._name:
                others.update(orjson.loads(entry))
        self._others = others
