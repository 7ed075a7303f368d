"""A bounded mapping that forgets what was not asked for the longest."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, Protocol, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Heavy(Protocol):
    """What entries keep alive beside themselves, several of them perhaps the same."""

    @property
    def size_bytes(self) -> int:
        """An estimate of its memory."""


class LeastRecentlyUsed(Generic[Key, Value]):
    """A bounded mapping that forgets what was not asked for the longest.

    Where it is bounded by bytes as well, an entry counts what `put` says of it and what it holds; what
    many entries hold counts once.
    """

    def __init__(self, capacity: int, most_bytes: int | None = None) -> None:
        self._capacity = capacity
        self._most_bytes = most_bytes
        self._entries: OrderedDict[Key, Value] = OrderedDict()
        self._loads: dict[Key, tuple[int, Heavy | None]] = {}
        self._holders: dict[Heavy, int] = {}
        self.size_bytes = 0
        """Of all entries, as far as was said"""

    def get(self, key: Key) -> Value | None:
        """Return the entry and mark it as used, or None."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: Key, value: Value, size_bytes: int = 0, holds: Heavy | None = None) -> None:
        """Keep an entry, forgetting the oldest beyond the bounds; one too heavy for them is not kept."""
        self._unload(key)
        whole_bytes = size_bytes + (holds.size_bytes if holds else 0)
        if self._most_bytes is not None and whole_bytes > self._most_bytes:
            self._entries.pop(key, None)
            return
        self._entries[key] = value
        self._entries.move_to_end(key)
        if self._most_bytes is None:
            if len(self._entries) > self._capacity:
                self._entries.popitem(last=False)
            return
        self._load(key, size_bytes, holds)
        while len(self._entries) > self._capacity or self.size_bytes > self._most_bytes:
            oldest, _ = self._entries.popitem(last=False)
            self._unload(oldest)

    def __len__(self) -> int:
        return len(self._entries)

    def _load(self, key: Key, size_bytes: int, holds: Heavy | None) -> None:
        self._loads[key] = size_bytes, holds
        self.size_bytes += size_bytes
        if holds is not None:
            holders = self._holders.get(holds, 0)
            self._holders[holds] = holders + 1
            self.size_bytes += 0 if holders else holds.size_bytes

    def _unload(self, key: Key) -> None:
        size_bytes, held = self._loads.pop(key, (0, None))
        self.size_bytes -= size_bytes
        if held is not None:
            self._holders[held] -= 1
            if self._holders[held] == 0:
                del self._holders[held]
                self.size_bytes -= held.size_bytes
