"""A board in Redis on which each process pins its latest notice, for whichever one is asked."""

import time

from redis.exceptions import RedisError

from domain.errors import Unavailable
from kit.lua import CommandRunner

# A process that has not written for this long is gone.
FORGOTTEN_SECONDS = 15.0
_AWAY = (RedisError, OSError, TimeoutError)


class NoticeBoard:
    """A hash: a process's name to when it wrote (Unix seconds as text), a space, and its notice.

    Every method raises `Unavailable` while Redis is away.
    """

    def __init__(self, runner: CommandRunner, key: str) -> None:
        self._runner = runner
        self._key = key

    async def pin(self, name: str, notice: bytes) -> None:
        """Replace the notice of a process."""
        try:
            await self._runner.run("HSET", self._key, name, b"%.3f %b" % (time.time(), notice))
        except _AWAY as error:
            raise Unavailable from error

    async def take_down(self, name: str) -> None:
        """Remove the notice of a process that ends."""
        try:
            await self._runner.run("HDEL", self._key, name)
        except _AWAY as error:
            raise Unavailable from error

    async def notices(self) -> dict[str, bytes]:
        """What the processes that are alive have pinned; what the others left is taken down."""
        try:
            answer = await self._runner.run("HGETALL", self._key)
            pairs = (
                answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
            )
            split = {name: entry.partition(b" ") for name, entry in pairs}
            oldest = time.time() - FORGOTTEN_SECONDS
            gone = [name for name, (at, _, _) in split.items() if _seconds(at) < oldest]
            if gone:
                await self._runner.run("HDEL", self._key, *gone)
        except _AWAY as error:
            raise Unavailable from error
        return {name.decode(): notice for name, (_, _, notice) in split.items() if name not in gone}


def _seconds(text: bytes) -> float:
    """A notice without a time is as old as can be."""
    try:
        return float(text)
    except ValueError:
        return 0.0
