"""A cancelled task has stopped."""

import asyncio
import contextlib
from itertools import count

import pytest

from kit.tasks import stopped, unending


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


async def test_the_work_is_begun_again_when_it_failed(caplog: pytest.LogCaptureFixture) -> None:
    rounds: list[int] = []
    again = asyncio.Event()

    async def stumbling() -> None:
        rounds.append(len(rounds))
        if len(rounds) == 1:
            raise ValueError("first")
        again.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(unending(stumbling, "the work"))
    async with asyncio.timeout(5):
        await again.wait()
    await stopped(task)

    assert task.cancelled()
    assert "the work stumbled" in caplog.text


async def test_the_work_ends_when_tidying_up_after_its_cancellation_fails() -> None:
    begun, rounds = asyncio.Event(), count()

    async def untidy() -> None:
        is_first = next(rounds) == 0
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            if is_first:
                raise ValueError("while tidying up")

    task = asyncio.create_task(unending(untidy, "the work"))
    await begun.wait()
    task.cancel()
    await asyncio.wait([task], timeout=2)
    had_ended = task.done()
    await stopped(task)

    assert had_ended
    assert isinstance(task.exception(), ValueError)
