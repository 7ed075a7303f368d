"""The expiry of the credentials of a connection or an operation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import TypeVar

from .errors import TokenExpired

Item = TypeVar("Item")

LONGEST_SECONDS = 30 * 86_400.0
"""The longest timer; no connection lives longer."""


def seconds_until(deadline: float) -> float:
    """The seconds from now until a deadline in seconds of the epoch; never negative."""
    return min(max(deadline - time.time(), 0.0), LONGEST_SECONDS)


async def until_expired(
    answers: AsyncGenerator[Item, None], expires_at: float | None
) -> AsyncGenerator[Item, None]:
    """Yield a subscription's answers until its credentials expire. Raises: TokenExpired then."""
    if expires_at is None:
        async for item in answers:
            yield item
        return
    deadline = asyncio.get_running_loop().time() + seconds_until(expires_at)
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                item = await anext(answers)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise TokenExpired from None
        yield item
