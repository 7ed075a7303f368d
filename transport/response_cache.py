"""Answers to public queries, kept for moments: bounded, and each computed once at a time."""

from __future__ import annotations

import time
from asyncio import Future, ensure_future, shield
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

from .answers import Answer
from .errors import Refused
from .lru import LeastRecentlyUsed
from .ports import Meters

FORMS = 4
"""So many times a body is kept on the average: plain, compressed, and in whole responses."""


@dataclass(frozen=True, slots=True)
class _Entry:
    answer: Answer
    until: float


class ResponseCache:
    """Keeps answers by key until their time, the entry bound or the byte bound is up."""

    def __init__(
        self,
        entries: int,
        size_bytes: int,
        meters: Meters,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._entries: LeastRecentlyUsed[Hashable, _Entry] = LeastRecentlyUsed(entries, size_bytes)
        self._flights: dict[Hashable, Future[Answer]] = {}
        self._meters = meters
        self._clock = clock

    def kept(self, key: Hashable) -> Answer | None:
        """Return the kept answer, if it is still good."""
        entry = self._entries.get(key)
        if entry is None or entry.until <= self._clock():
            return None
        self._meters.cached("response", "hit")
        return entry.answer

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
            except Refused:  # it was the first who asked that was refused
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
            entry = _Entry(answer, started + ttl_s)
            self._entries.put(key, entry, FORMS * len(answer.payload.body))
        return answer
