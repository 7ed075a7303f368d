"""The response cache: answers to public queries, bounded, loaded single-flight."""

from __future__ import annotations

import time
from asyncio import Future, ensure_future, shield
from collections.abc import Awaitable, Callable, Hashable

from kit.cache import Cache
from transport.protocol.errors import GraphQLHTTPError
from transport.protocol.ports import Meters

from .answers import Answer

FORMS = 4
"""The average number of copies of a body: plain, compressed, and in whole responses"""


class ResponseCache:
    """Caches answers by key for their time to live, bounded by entries and bytes."""

    def __init__(
        self,
        entries: int,
        size_bytes: int,
        meters: Meters,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._answers: Cache[Hashable, Answer] = Cache(max_entries=entries, max_bytes=size_bytes, clock=clock)
        self._flights: dict[Hashable, Future[Answer]] = {}
        self._meters = meters
        self._clock = clock

    def kept(self, key: Hashable) -> Answer | None:
        """Return the cached answer, if it has not expired."""
        answer = self._answers.get(key)
        if answer is not None:
            self._meters.cached("response", "hit")
        return answer

    async def answer(self, key: Hashable, ttl_s: float, compute: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return the cached answer, or compute it once for all simultaneous callers."""
        kept = self.kept(key)
        if kept is not None:
            return kept
        flight = self._flights.get(key)
        self._meters.cached("response", "miss" if flight is None else "shared")
        if flight is not None:
            try:
                answer = await shield(flight)
            except GraphQLHTTPError:  # the error was the first caller's own
                return await compute()
            return await compute() if answer.personal or answer.true_seconds <= 0 else answer
        flight = ensure_future(self._fly(key, ttl_s, compute))
        self._flights[key] = flight
        return await shield(flight)

    async def _fly(self, key: Hashable, ttl_s: float, compute: Callable[[], Awaitable[Answer]]) -> Answer:
        started = self._clock()
        try:
            answer = await compute()
        finally:
            del self._flights[key]
        if not (answer.payload.failed or answer.personal):
            ttl_seconds = min(started + ttl_s - self._clock(), answer.true_seconds)
            size_bytes = FORMS * len(answer.payload.body)
            self._answers.put(key, answer, size_bytes=size_bytes, ttl_seconds=ttl_seconds)
        return answer
