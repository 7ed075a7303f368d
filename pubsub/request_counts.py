"""How many requests somebody has made this minute, counted over all processes."""

import time

from redis.exceptions import RedisError

from kit.lua import CommandRunner

_WINDOW_SECONDS = 60


def count_key(who: str, window: int) -> str:
    """Integer: requests of one user or address within one minute. Lifetime: two minutes."""
    return f"bo:requests:{who}:{window}"


class RequestCounts:
    """A counter a caller and minute. While Redis is away nobody is counted: a sale outranks a limit."""

    def __init__(self, runner: CommandRunner) -> None:
        self._runner = runner

    async def add(self, who: str) -> tuple[int, int]:
        """Count one request; how many there were in this minute, and the seconds until the next."""
        now = int(time.time())
        window, passed = divmod(now, _WINDOW_SECONDS)
        key = count_key(who, window)
        try:
            count = int(await self._runner.run("INCR", key))
            if count == 1:
                await self._runner.run("EXPIRE", key, 2 * _WINDOW_SECONDS)
        except (RedisError, OSError, TimeoutError):
            count = 0
        return count, _WINDOW_SECONDS - passed
