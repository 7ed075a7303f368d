"""How many subscriptions are open, by transport, over all the processes behind one port."""

import asyncio
import contextlib
from collections import Counter
from uuid import uuid4

import orjson

from domain.errors import Unavailable
from kit.lua import CommandRunner
from pubsub.notice_board import NoticeBoard

COUNTS_KEY = "bo:open_streams"
"""Hash: a process's name to its counts (pubsub/notice_board.py). Owner: `OpenStreams`."""

_WRITE_SECONDS = 0.2
_REFRESH_SECONDS = 5.0


class OpenStreams:
    """This process's counts, told to the others soon after they change."""

    def __init__(self, runner: CommandRunner) -> None:
        self._board = NoticeBoard(runner, COUNTS_KEY)
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
            with contextlib.suppress(Unavailable):
                await self._board.pin(self._name, orjson.dumps(dict(self._own)))

    async def totals(self) -> Counter[str]:
        """The counts of all processes.

        Raises:
            Unavailable: Redis is away.
        """
        totals = Counter(self._own)
        for name, notice in (await self._board.notices()).items():
            if name != self._name:
                totals.update(orjson.loads(notice))
        return totals
