"""A signal to one subscriber, which either awaits it or is called back."""

import asyncio
from collections.abc import Callable


class Signal:
    """Wakes the subscriber that awaits `_signalled`, or calls it back once it is attached."""

    __slots__ = ("_call", "_waiting")

    def __init__(self) -> None:
        self._call: Callable[[], None] | None = None
        self._waiting: asyncio.Future[None] | None = None

    def _signal(self) -> None:
        """Wake the subscriber."""
        if self._call is not None:
            self._call()
        elif self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def _signalled(self) -> None:
        """Wait for the next signal."""
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None
