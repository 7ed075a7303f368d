"""A loop of the worker ends when it is cancelled, whatever its job does about it."""

import asyncio

from workers.loops import Loop


async def test_a_loop_ends_when_an_error_of_its_cleaning_up_replaces_the_cancellation() -> None:
    begun = asyncio.Event()

    async def job() -> int:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise ConnectionError("another operation is in progress")

    task = asyncio.create_task(Loop("expiry", job, 0.01).run())
    await begun.wait()
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=2)

    assert task in done
    assert task.cancelled()


async def test_a_loop_goes_on_when_a_timeout_of_its_job_fails_in_cleaning_up() -> None:
    rounds: list[int] = []
    again = asyncio.Event()

    async def job() -> int:
        rounds.append(len(rounds))
        if len(rounds) > 1:
            again.set()
            return 0
        async with asyncio.timeout(0.01):
            try:
                await asyncio.Event().wait()
            finally:
                raise ConnectionError("cut")

    task = asyncio.create_task(Loop("expiry", job, 0.01).run())
    async with asyncio.timeout(5):
        await again.wait()
    task.cancel()
    await asyncio.wait([task])

    assert len(rounds) > 1
