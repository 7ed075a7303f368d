"""Whoever is told something: it waits for it, or is called."""

import asyncio
from collections.abc import Callable


class Listener:
    """Waits for news with `_news`; from `attach` on it is called instead."""

    __slots__ = ("_call", "_waiting")

    def __init__(self) -> None:
        self._call: Callable[[], None] | None = None
        self._waiting: asyncio.Future[None] | None = None

    def _notify(self) -> None:
        """There are news."""
        if self._call is not None:
            self._call()
        elif self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def _news(self) -> None:
        """Wait until there are news."""
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None
