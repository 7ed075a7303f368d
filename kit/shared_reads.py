"""Reads of one thing by many at once: they share a read that began after each of them had asked."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class SharedReads(Generic[Key, Value]):
    """Reads a key once for all who ask at the same time, and never answers with what was read before.

    While a read of a key is under way, those who ask wait for the next one, which they share. So the source
    is asked by one reader at a time, however many there are, and each sees what was true after it had asked.
    """

    def __init__(self, read: Callable[[Key], Awaitable[Value]]) -> None:
        self._read = read
        self._now: dict[Key, asyncio.Task[Value]] = {}
        self._next: dict[Key, asyncio.Task[Value]] = {}

    async def get(self, key: Key) -> Value:
        """Return the value as it is now or later.

        Raises: What the read raises, for all who share it.
        """
        task = self._next.get(key)
        if task is None:
            task = self._next[key] = asyncio.create_task(self._take_turn(key))
        # Shielded: a reader that goes away must not end the read of the others.
        return await asyncio.shield(task)

    async def _take_turn(self, key: Key) -> Value:
        before = self._now.get(key)
        if before is not None:
            await asyncio.wait([before])
        task = self._now[key] = self._next.pop(key)
        try:
            return await self._read(key)
        finally:
            if self._now.get(key) is task:
                del self._now[key]
