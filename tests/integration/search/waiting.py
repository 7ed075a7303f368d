"""Waiting for a condition, never for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 5.0) -> float:
    """How long the condition took to hold; fails at the deadline."""
    began = time.monotonic()
    while not await condition():
        assert time.monotonic() - began < seconds, "the condition did not come true in time"
        await asyncio.sleep(0.02)
    return time.monotonic() - began
