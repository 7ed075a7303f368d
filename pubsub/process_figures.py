"""The figures of every process, for whichever one is scraped."""

import asyncio
import contextlib
from collections.abc import Callable

from domain.errors import Unavailable
from kit.lua import CommandRunner
from pubsub.notice_board import NoticeBoard

FIGURES_KEY = "bo:figures"
"""Hash: a process's name to its figures (pubsub/notice_board.py). Owner: `ProcessFigures`."""

TELL_SECONDS = 2.0


class ProcessFigures:
    """This process's figures, told every two seconds, and what the others told."""

    def __init__(self, runner: CommandRunner, name: str, own: Callable[[], bytes]) -> None:
        self._board = NoticeBoard(runner, FIGURES_KEY)
        self._name = name
        self._own = own

    async def keep_telling(self) -> None:
        """Tell until cancelled; then the others hear that this process is no more."""
        try:
            while True:
                with contextlib.suppress(Unavailable):
                    await self._board.pin(self._name, self._own())
                await asyncio.sleep(TELL_SECONDS)
        finally:
            with contextlib.suppress(Unavailable):
                await asyncio.shield(self._board.take_down(self._name))

    async def others(self) -> dict[str, bytes]:
        """What every other process has told; nothing while Redis is away."""
        try:
            notices = await self._board.notices()
        except Unavailable:
            return {}
        return {name: notice for name, notice in notices.items() if name != self._name}
