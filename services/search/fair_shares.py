"""Fair shares of the search engine: one caller's searches do not keep another's from being answered."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from domain.errors import RateLimited, Unavailable
from domain.viewer import Viewer
from kit.fair_queue import FairQueue, QueueFull, QueueTimedOut
from kit.networks import counted_network
from search.index import Hit, Hits, SearchIndex, SearchRequest, Spellings
from search.keyword import Term

# Of one process: more calls at once keep an engine's core no busier, and only make each of them slower.
CALLS_AT_ONCE = 2
CALLS_OF_NETWORK = 1
WAITING_OF_NETWORK = 64
WAIT_SECONDS = 2.0

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class SearchCaller:
    """The caller of a search: a flow of the fair queue, and the network that it counts for ("" for none)."""

    flow: Hashable
    network: str = ""


def search_caller(
    viewer: Viewer | None, address: str, operation: Hashable, *, private_networks: bool
) -> SearchCaller:
    """Return the caller: a user over all operations, or each operation of an anonymous client by itself."""
    flow = operation if viewer is None else viewer.user_id
    return SearchCaller(flow, counted_network(address, private_networks=private_networks))


class FairShares:
    """One index with a fair queue in front; the same query at the same time is one call."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index
        self._queue = FairQueue(
            slots=CALLS_AT_ONCE,
            slots_of_group=CALLS_OF_NETWORK,
            waiting_of_group=WAITING_OF_NETWORK,
            wait_seconds=WAIT_SECONDS,
        )
        self._running: dict[Hashable, asyncio.Task[Any]] = {}

    def of(self, caller: SearchCaller) -> SearchIndex:
        """Return the index as this caller may use it."""
        return _Share(self, caller)

    async def search(self, caller: SearchCaller, request: SearchRequest) -> Hits:
        """See `SearchIndex.search`.

        Raises:
            RateLimited: The caller's network, or the caller, has too many searches waiting.
            Unavailable: The engine is busy with others' searches for too long.
        """
        key = replace(request, now=request.now.replace(microsecond=0))
        return await self._run(caller, key, lambda: self._index.search(request))

    async def complete(self, caller: SearchCaller, prefix: str, now: datetime) -> list[Hit]:
        """See `SearchIndex.complete`. Raises as `search`."""
        key = (prefix, now.replace(microsecond=0))
        return await self._run(caller, key, lambda: self._index.complete(prefix, now))

    async def sound_alikes(self, caller: SearchCaller, keyword: str) -> Spellings:
        """See `SearchIndex.sound_alikes`. Raises as `search`."""
        return await self._run(caller, ("sounds", keyword), lambda: self._index.sound_alikes(keyword))

    async def frequencies(self, caller: SearchCaller, terms: Sequence[Term], most: int) -> Sequence[int]:
        """See `SearchIndex.frequencies`. Raises as `search`."""
        key = (tuple(terms), most)
        return await self._run(caller, key, lambda: self._index.frequencies(terms, most))

    async def close(self) -> None:
        """Close the index."""
        await self._index.close()

    async def _run(
        self, caller: SearchCaller, key: Hashable, call: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        if key not in self._running:
            try:
                await self._queue.acquire(caller.flow, caller.network)
            except QueueFull:
                raise RateLimited("Too many searches at once; please wait a moment.") from None
            except QueueTimedOut:
                raise Unavailable("Search is busy; please try again.") from None
            if key in self._running:  # another caller's call has begun meanwhile
                self._queue.release(caller.network)
            else:
                self._begin(caller, key, call)
        # Shielded: a caller who leaves frees no slot while the engine still works on the call.
        answer: Answer = await asyncio.shield(self._running[key])
        return answer

    def _begin(self, caller: SearchCaller, key: Hashable, call: Callable[[], Awaitable[Answer]]) -> None:
        async def run() -> Answer:
            return await call()

        def end(task: asyncio.Task[Any]) -> None:
            del self._running[key]
            self._queue.release(caller.network)
            if not task.cancelled():
                task.exception()  # read: the callers may all have left

        task = asyncio.create_task(run())
        self._running[key] = task
        task.add_done_callback(end)


@dataclass(frozen=True, slots=True)
class _Share:
    """An index on behalf of one caller."""

    shares: FairShares
    caller: SearchCaller

    async def search(self, request: SearchRequest) -> Hits:
        return await self.shares.search(self.caller, request)

    async def sound_alikes(self, keyword: str) -> Spellings:
        return await self.shares.sound_alikes(self.caller, keyword)

    async def frequencies(self, terms: Sequence[Term], most: int) -> Sequence[int]:
        return await self.shares.frequencies(self.caller, terms, most)

    async def complete(self, prefix: str, now: datetime) -> list[Hit]:
        return await self.shares.complete(self.caller, prefix, now)

    async def close(self) -> None:
        await self.shares.close()
