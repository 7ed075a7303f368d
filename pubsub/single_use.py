"""Names that count once: a solution of a challenge, for example."""

from redis.exceptions import RedisError

from kit.cache import Cache
from kit.lua import CommandRunner
from pubsub.keys import used_once_key

_MOST_REMEMBERED = 100_000


class SingleUse:
    """Remembers names until they expire, for all processes; while Redis is away, for this process."""

    def __init__(self, runner: CommandRunner) -> None:
        self._runner = runner
        self._here: Cache[str, bool] = Cache(max_entries=_MOST_REMEMBERED)

    async def first(self, name: str, lifetime_seconds: int) -> bool:
        """Return whether this is the first use of a name within its lifetime (1 second or more)."""
        if name in self._here:
            return False
        # Before Redis answers: two uses at the same time are two uses.
        self._here.put(name, True, ttl_seconds=lifetime_seconds)
        command = ("SET", used_once_key(name), "1", "NX", "EX", lifetime_seconds)
        try:
            return await self._runner.run(*command) is not None
        except (RedisError, OSError, TimeoutError):
            return True
