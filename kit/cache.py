"""The one cache class: bounded by entries and by bytes, with a time to live and single-flight loading."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Clock = Callable[[], float]


class SharedPart(Protocol):
    """An object that several entries keep alive; its bytes are counted once."""

    @property
    def size_bytes(self) -> int:
        """An estimate of its memory."""


class _Entry(NamedTuple, Generic[Value]):
    value: Value
    stored_at: float
    expires_at: float
    size_bytes: int
    shared: SharedPart | None


class Cache(Generic[Key, Value]):
    """A bounded cache that evicts the least recently used entry first.

    Args:
        max_entries: The most entries at a time.
        max_bytes: The most bytes at a time, None for no such bound.
        ttl_seconds: The time after which an entry is no longer returned, None for no such limit.
        size_of: The bytes of a value for which `put` names no size.
        keeps_oversized: Keep an entry larger than `max_bytes`, alone. Without it such an entry is not kept.
        clock: A monotonic clock in seconds.
    """

    def __init__(
        self,
        *,
        max_entries: int,
        max_bytes: int | None = None,
        ttl_seconds: float | None = None,
        size_of: Callable[[Value], int] | None = None,
        keeps_oversized: bool = False,
        clock: Clock = time.monotonic,
    ) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._ttl_seconds = math.inf if ttl_seconds is None else ttl_seconds
        self._size_of = size_of
        self._keeps_oversized = keeps_oversized
        self._clock = clock
        self._entries: OrderedDict[Key, _Entry[Value]] = OrderedDict()
        self._loading: dict[Key, asyncio.Task[Mapping[Key, Value]]] = {}
        self._holders: dict[SharedPart, int] = {}
        self.size_bytes = 0
        """The bytes of all entries"""

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Key) -> bool:
        return self._fresh(key, math.inf) is not None

    def get(self, key: Key, max_age_seconds: float = math.inf) -> Value | None:
        """Return the value and mark it as used; None where it is missing, expired or older than asked."""
        entry = self._fresh(key, max_age_seconds)
        return None if entry is None else entry.value

    def put(
        self,
        key: Key,
        value: Value,
        *,
        size_bytes: int | None = None,
        shared: SharedPart | None = None,
        ttl_seconds: float | None = None,
    ) -> None:
        """Store a value and evict what the bounds no longer hold.

        `size_bytes` counts the entry without `shared`; `ttl_seconds` replaces the cache's own.
        """
        self.evict(key)
        own_bytes = self._measure(value) if size_bytes is None else size_bytes
        whole_bytes = own_bytes + (shared.size_bytes if shared is not None else 0)
        if self._max_bytes is not None and whole_bytes > self._max_bytes and not self._keeps_oversized:
            return
        now = self._clock()
        ttl = self._ttl_seconds if ttl_seconds is None else ttl_seconds
        self._entries[key] = _Entry(value, now, now + ttl, own_bytes, shared)
        self._count(own_bytes, shared)
        while self._is_over_bounds() and len(self._entries) > 1:
            self.evict(next(iter(self._entries)))

    def evict(self, key: Key) -> None:
        """Drop an entry; a load under way still stores what it reads."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self.size_bytes -= entry.size_bytes
        if entry.shared is not None:
            self._release(entry.shared)

    def forget(self, key: Key) -> None:
        """Invalidate a key: the next caller loads it anew, and a load under way is not stored."""
        self._loading.pop(key, None)
        self.evict(key)

    def clear(self) -> None:
        """Invalidate every key."""
        for key in {*self._entries, *self._loading}:
            self.forget(key)

    async def get_or_load(self, key: Key, load: Callable[[Key], Awaitable[Value]]) -> Value:
        """Return the value, loading it where it is missing; simultaneous callers share one load."""
        entry = self._fresh(key, math.inf)
        if entry is not None:
            return entry.value

        async def load_one(_: Sequence[Key]) -> Mapping[Key, Value]:
            return {key: await load(key)}

        return (await self._load([key], load_one))[key]

    async def get_many_or_load(
        self, keys: Sequence[Key], load: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]]
    ) -> dict[Key, Value]:
        """Return the values by key; one call loads all that are neither stored nor being loaded.

        Keys that `load` does not return are absent and are not remembered.
        """
        entries = {key: self._fresh(key, math.inf) for key in keys}
        found = {key: entry.value for key, entry in entries.items() if entry is not None}
        missing = [key for key, entry in entries.items() if entry is None]
        return {**found, **await self._load(missing, load)} if missing else found

    async def _load(
        self, keys: Sequence[Key], load: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]]
    ) -> dict[Key, Value]:
        fresh = [key for key in keys if key not in self._loading]
        if fresh:
            task = asyncio.ensure_future(self._load_and_store(fresh, load))
            self._loading.update(dict.fromkeys(fresh, task))
        tasks = {key: self._loading[key] for key in keys}
        # A caller that is cancelled does not cancel the load that others wait for.
        loaded = {task: await asyncio.shield(task) for task in dict.fromkeys(tasks.values())}
        return {key: loaded[task][key] for key, task in tasks.items() if key in loaded[task]}

    async def _load_and_store(
        self, keys: Sequence[Key], load: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]]
    ) -> Mapping[Key, Value]:
        task = asyncio.current_task()
        values: Mapping[Key, Value] = {}
        try:
            values = await load(keys)
        finally:
            current = [key for key in keys if self._loading.get(key) is task]
            for key in current:
                del self._loading[key]
                if key in values:
                    self.put(key, values[key])
        return values

    def _fresh(self, key: Key, max_age_seconds: float) -> _Entry[Value] | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.expires_at != math.inf or max_age_seconds != math.inf:
            now = self._clock()
            if now >= entry.expires_at or now - entry.stored_at > max_age_seconds:
                return None
        self._entries.move_to_end(key)
        return entry

    def _measure(self, value: Value) -> int:
        return 0 if self._size_of is None else self._size_of(value)

    def _is_over_bounds(self) -> bool:
        if len(self._entries) > self._max_entries:
            return True
        return self._max_bytes is not None and self.size_bytes > self._max_bytes

    def _count(self, own_bytes: int, shared: SharedPart | None) -> None:
        self.size_bytes += own_bytes
        if shared is None:
            return
        holders = self._holders.get(shared, 0)
        self._holders[shared] = holders + 1
        if not holders:
            self.size_bytes += shared.size_bytes

    def _release(self, shared: SharedPart) -> None:
        self._holders[shared] -= 1
        if not self._holders[shared]:
            del self._holders[shared]
            self.size_bytes -= shared.size_bytes
