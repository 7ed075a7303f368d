"""How many subscriptions are open, by transport, over all the processes behind one port."""

import asyncio
import time
from collections import Counter
from uuid import uuid4

import orjson
from redis.exceptions import RedisError

from domain.errors import Unavailable
from kit.lua import CommandRunner

COUNTS_KEY = "bo:open_streams"
"""Hash: a process's name to its counts and when it wrote them. Owner: `OpenStreams`."""

_AWAY = (RedisError, OSError, TimeoutError)
_WRITE_SECONDS = 0.2
_REFRESH_SECONDS = 5.0
# A process that has not written for this long is gone, and its clients with it.
_FORGOTTEN_SECONDS = 15.0


class OpenStreams:
    """This process's counts, told to the others soon after they change."""

    def __init__(self, runner: CommandRunner) -> None:
        self._runner = runner
        self._name = uuid4().hex
        self._own: Counter[str] = Counter()
        self._changed = asyncio.Event()

    def change(self, transport: str, by: int) -> None:
        """Count subscriptions that were opened or closed here."""
        self._own[transport] += by
        self._changed.set()

    async def keep_telling(self) -> None:
        """Write the counts when they change, and from time to time, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(_REFRESH_SECONDS):
                    await self._changed.wait()
                await asyncio.sleep(_WRITE_SECONDS)
            except TimeoutError:
                pass
            self._changed.clear()
            entry = orjson.dumps({"at": time.time(), "open": dict(self._own)})
            try:
                await self._runner.run("HSET", COUNTS_KEY, self._name, entry)
            except _AWAY:
                continue

    async def totals(self) -> Counter[str]:
        """The counts of all processes.

        Raises:
            Unavailable: Redis is away.
        """
        try:
            answer = await self._runner.run("HGETALL", COUNTS_KEY)
            pairs = (
                answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
            )
            others = {name.decode(): orjson.loads(entry) for name, entry in pairs}
            gone = [name for name, entry in others.items() if entry["at"] < time.time() - _FORGOTTEN_SECONDS]
            if gone:
                await self._runner.run("HDEL", COUNTS_KEY, *gone)
        except _AWAY as error:
            raise Unavailable from error
        totals = Counter(self._own)
        for name, entry in others.items():
            if name != self._name and name not in gone:
                totals.update(entry["open"])
        return totals
