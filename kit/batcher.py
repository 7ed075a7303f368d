"""A batcher: requests that come at the same time run together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batcher(Generic[Item, Answer]):
    """Runs the items of one turn of the event loop as one batch.

    At most `max_concurrent` batches run at once (None: no limit). Items that come meanwhile wait for the next
    batch, so a batch grows with the load and a single item never waits for others.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Awaitable[Sequence[Answer | Exception]]],
        *,
        max_batch: int,
        max_concurrent: int | None = None,
    ) -> None:
        self._run = run
        self._max_batch = max_batch
        self._max_concurrent = max_concurrent
        self._waiting: list[tuple[Item, asyncio.Future[Any]]] = []
        self._out: set[asyncio.Task[None]] = set()

    async def submit(self, item: Item) -> Answer:
        """Return the item's own answer from its batch of at most `max_batch` items.

        Raises: The item's own answer where that is an exception, or the exception of the batch.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._start)
        self._waiting.append((item, answer))
        return await answer

    async def drain(self) -> None:
        """Wait until every item that was submitted has its answer."""
        while self._waiting or self._out:
            await (asyncio.wait(self._out) if self._out else asyncio.sleep(0))

    def _start(self) -> None:
        while self._waiting and (self._max_concurrent is None or len(self._out) < self._max_concurrent):
            batch, self._waiting = self._waiting[: self._max_batch], self._waiting[self._max_batch :]
            task = asyncio.ensure_future(self._deliver(batch))
            self._out.add(task)
            task.add_done_callback(self._returned)

    def _returned(self, task: asyncio.Task[None]) -> None:
        self._out.discard(task)
        self._start()

    async def _deliver(self, batch: list[tuple[Item, asyncio.Future[Any]]]) -> None:
        answers: Sequence[Answer | Exception]
        try:
            answers = await self._run([item for item, _ in batch])
        except Exception as error:
            answers = [error] * len(batch)
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
