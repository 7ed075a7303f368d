"""Running together what is asked for at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batcher(Generic[Item, Answer]):
    """Gathers what one turn of the event loop asks for and runs it as one.

    At most `at_once` runs are out at a time (None: no limit); what is asked meanwhile waits and goes with
    the next run, so a run grows with the load and a lone asker never waits for company.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Awaitable[Sequence[Answer | Exception]]],
        *,
        most: int,
        at_once: int | None = None,
    ) -> None:
        self._run = run
        self._most = most
        self._at_once = at_once
        self._waiting: list[tuple[Item, asyncio.Future[Any]]] = []
        self._out: set[asyncio.Task[None]] = set()

    async def ask(self, item: Item) -> Answer:
        """The item's own answer; `most` items at most share a run.

        Raises: the item's own answer where that is an exception; what the run raised, for all of it.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._start)
        self._waiting.append((item, answer))
        return await answer

    def _start(self) -> None:
        while self._waiting and (self._at_once is None or len(self._out) < self._at_once):
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
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
