"""A batcher is drained when every batch has run, whether or not anybody still waits for its answers."""

import asyncio
from collections.abc import Sequence

from kit.batcher import Batcher


async def test_drained_when_the_batch_of_a_cancelled_caller_has_run() -> None:
    may_answer, answered = asyncio.Event(), list[int]()

    async def double(items: Sequence[int]) -> list[int]:
        await may_answer.wait()
        answered.extend(items)
        return [item * 2 for item in items]

    batcher = Batcher[int, int](double, max_batch=10, max_concurrent=1)
    first = asyncio.create_task(batcher.submit(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.create_task(batcher.submit(2))
    await asyncio.sleep(0)
    first.cancel()

    draining = asyncio.create_task(batcher.drain())
    await asyncio.sleep(0)
    assert not draining.done()
    may_answer.set()
    await draining

    assert (answered, await second) == ([1, 2], 4)
