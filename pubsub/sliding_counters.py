"""How often something happened within the last minute, counted over all processes."""

import asyncio
import time
from collections.abc import Callable

from redis.exceptions import RedisError

from kit.cache import Cache
from kit.lua import CommandRunner
from pubsub.keys import counted_key

WINDOW_SECONDS = 60
_MOST_HERE = 20_000


class SlidingCounters:
    """Counts by name. While Redis is away, each process counts what it sees itself."""

    def __init__(self, runner: CommandRunner, clock: Callable[[], float] = time.time) -> None:
        self._runner = runner
        self._clock = clock
        self._here: Cache[tuple[str, int], int] = Cache(max_entries=_MOST_HERE)

    async def count(self, name: str, amount: int = 1) -> float:
        """Add an amount, and return how much was added within the last minute, this amount included.

        The estimate takes the earlier window of the clock by the part of it that the last minute covers.
        """
        window, passed = divmod(self._clock(), WINDOW_SECONDS)
        present, before = await self._amounts(name, int(window), amount)
        return present + before * (1 - passed / WINDOW_SECONDS)

    async def _amounts(self, name: str, window: int, amount: int) -> tuple[int, int]:
        here = (self._here.get((name, window)) or 0) + amount
        self._here.put((name, window), here, ttl_seconds=2 * WINDOW_SECONDS)
        run, key = self._runner.run, counted_key(name, window)
        try:
            present, _, before = await asyncio.gather(
                run("INCRBY", key, amount),
                run("EXPIRE", key, 2 * WINDOW_SECONDS),
                run("GET", counted_key(name, window - 1)),
            )
        except (RedisError, OSError, TimeoutError):
            return here, self._here.get((name, window - 1)) or 0
        return int(present), int(before or 0)
