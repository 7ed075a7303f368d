"""Answers to public queries, kept for moments: bounded, and each computed once at a time."""

from __future__ import annotations

import time
from asyncio import Future, ensure_future, shield
from collections.abc import Awaitable, Callable, Hashable

from kit.cache import Cache
from transport.protocol.errors import GraphQLHTTPError
from transport.protocol.ports import Meters

from .answers import Answer

FORMS = 4
"""So many times a body is kept on the average: plain, compressed, and in whole responses."""


class ResponseCache:
    """Keeps answers by key until their time, the entry bound or the byte bound is up."""

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
        """Return the kept answer, if it is still good."""
        answer = self._answers.get(key)
        if answer is not None:
            self._meters.cached("response", "hit")
        return answer

    async def answer(self, key: Hashable, ttl_s: float, compute: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return the kept answer, or compute it once for all who ask meanwhile."""
        kept = self.kept(key)
        if kept is not None:
            return kept
        flight = self._flights.get(key)
        self._meters.cached("response", "miss" if flight is None else "shared")
        if flight is not None:
            try:
                answer = await shield(flight)
            except GraphQLHTTPError:  # it was the first who asked that was refused
                return await compute()
            return await compute() if answer.personal else answer
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
            ttl_seconds = started + ttl_s - self._clock()
            size_bytes = FORMS * len(answer.payload.body)
            self._answers.put(key, answer, size_bytes=size_bytes, ttl_seconds=ttl_seconds)
        return answer
