"""A registry in Redis with one entry for each running process."""

import time

from redis.exceptions import RedisError

from domain.errors import Unavailable
from kit.lua import CommandRunner

# The entry of a process that has not written for this long is removed, unless another time is given.
LIFETIME_SECONDS = 15.0
_REDIS_ERRORS = (RedisError, OSError, TimeoutError)


class ProcessRegistry:
    """A hash: the name of a process -> Unix seconds of its last write as text, a space, and its entry.

    Every method raises `Unavailable` while Redis does not answer.
    """

    def __init__(
        self, runner: CommandRunner, key: str, *, lifetime_seconds: float = LIFETIME_SECONDS
    ) -> None:
        self._runner = runner
        self._key = key
        self._lifetime_seconds = lifetime_seconds

    async def register(self, name: str, entry: bytes) -> None:
        """Store the entry of a process in place of its earlier one."""
        try:
            await self._runner.run("HSET", self._key, name, b"%.3f %b" % (time.time(), entry))
        except _REDIS_ERRORS as error:
            raise Unavailable from error

    async def remove(self, name: str) -> None:
        """Remove the entry of a process that ends."""
        try:
            await self._runner.run("HDEL", self._key, name)
        except _REDIS_ERRORS as error:
            raise Unavailable from error

    async def entries(self) -> dict[str, bytes]:
        """The entries of the running processes by name; removes those of the others."""
        try:
            answer = await self._runner.run("HGETALL", self._key)
            pairs = (
                answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
            )
            split = {name: value.partition(b" ") for name, value in pairs}
            oldest = time.time() - self._lifetime_seconds
            gone = [name for name, (at, _, _) in split.items() if _seconds(at) < oldest]
            if gone:
                await self._runner.run("HDEL", self._key, *gone)
        except _REDIS_ERRORS as error:
            raise Unavailable from error
        return {name.decode(): entry for name, (_, _, entry) in split.items() if name not in gone}


def _seconds(text: bytes) -> float:
    """The time of an entry; one without a time is the oldest."""
    try:
        return float(text)
    except ValueError:
        return 0.0
