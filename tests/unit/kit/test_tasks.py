"""A task that is told to stop has stopped."""

import asyncio
import contextlib

from kit.tasks import stopped


async def test_task_has_ended_when_its_first_cancellation_was_swallowed() -> None:
    begun = asyncio.Event()

    async def stubborn() -> None:
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    task = asyncio.create_task(stubborn())
    await begun.wait()

    async with asyncio.timeout(5):
        await stopped(task)

    assert task.cancelled()


async def test_nothing_is_raised_when_the_task_failed_before() -> None:
    async def failing() -> None:
        raise ValueError("before")

    task = asyncio.create_task(failing())
    await asyncio.wait([task])

    await stopped(task)

    assert isinstance(task.exception(), ValueError)
