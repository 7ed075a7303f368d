"""The end of the credentials that a connection or an operation was begun with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import TypeVar

from .errors import TokenExpired

Item = TypeVar("Item")

LONGEST_SECONDS = 30 * 86_400.0
"""A timer is never set further ahead; no connection lives so long."""


def seconds_until(moment: float) -> float:
    """How long from now until a moment given in seconds of the epoch; never negative."""
    return min(max(moment - time.time(), 0.0), LONGEST_SECONDS)


async def until_expired(
    answers: AsyncGenerator[Item, None], moment: float | None
) -> AsyncGenerator[Item, None]:
    """Yield what a subscription says until its credentials end. Raises: TokenExpired at that moment."""
    if moment is None:
        async for item in answers:
            yield item
        return
    deadline = asyncio.get_running_loop().time() + seconds_until(moment)
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                item = await anext(answers)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise TokenExpired from None
        yield item
