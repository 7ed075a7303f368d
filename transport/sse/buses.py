"""A message bus within one process, for a single server and for tests."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

QUEUED_MESSAGES = 1_000


class MemoryBus:
    """Delivers to the subscribers in this process; a full subscriber loses the newest message."""

    def __init__(self) -> None:
        self._queues: defaultdict[str, set[asyncio.Queue[bytes]]] = defaultdict(set)

    async def publish(self, channel: str, message: bytes) -> None:
        """Hand the message to every subscriber of the channel."""
        for queue in list(self._queues.get(channel, ())):
            if not queue.full():
                queue.put_nowait(message)

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Receive from now until the context is left."""
        queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUED_MESSAGES)
        self._queues[channel].add(queue)
        try:
            yield _drain(queue)
        finally:
            self._queues[channel].discard(queue)
            if not self._queues[channel]:
                del self._queues[channel]


async def _drain(queue: asyncio.Queue[bytes]) -> AsyncIterator[bytes]:
    while True:
        yield await queue.get()
