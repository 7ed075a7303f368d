"""Tasks that run until they are cancelled."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger("boxoffice.tasks")

_AGAIN_SECONDS = 0.5


async def stopped(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its end; what it raised then is not of interest.

    Again and again, because a library may swallow a cancellation: what it was waiting for and its
    cancellation can come in the same turn of the loop, and then the task goes on as if nothing were.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_AGAIN_SECONDS)
    if not task.cancelled():
        task.exception()


async def unending(work: Callable[[], Coroutine[Any, Any, None]], what: str) -> None:
    """Do something that must never end until cancelled: what fails is logged, and begun again."""
    while True:
        try:
            await work()
        except Exception:
            if is_being_cancelled():  # and stumbled over its own tidying up
                raise
            log.exception("%s stumbled; beginning again", what)
        await asyncio.sleep(_AGAIN_SECONDS)


def is_being_cancelled() -> bool:
    """Whether the running task was asked to end, whatever has become of the request since."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
