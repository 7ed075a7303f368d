"""Rows that requests share: read once, reused for a second at most, dropped when any event changes."""

import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Generic, TypeVar
from uuid import UUID

from db.queries.events import EventRow
from db.queries.performers import PerformerRow
from db.queries.venues import VenueRow

TTL_SECONDS = 1.0
MAX_ROWS = 4_096

Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")
Clock = Callable[[], float]


class TtlTable(Generic[Key, Row]):
    """Rows by key for `TTL_SECONDS`; absence is not remembered.

    Once a row has expired, the first `get` returns None, so that its caller reads the row again, and the
    others get the old row for one more period: a crowd never reads at once. kit.cache has no such rule.
    """

    __slots__ = ("_clock", "_rows")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: dict[Key, tuple[float, Row]] = {}
        """Each with the time at which it expires"""

    def get(self, key: Key) -> Row | None:
        """The row, or None where the caller has to read it."""
        entry = self._rows.get(key)
        if entry is None:
            return None
        expires_at, row = entry
        now = self._clock()
        if now < expires_at:
            return row
        self._rows[key] = (now + TTL_SECONDS, row)
        return None

    def put(self, rows: Mapping[Key, Row]) -> None:
        """Share rows that were read just now."""
        expires_at = self._clock() + TTL_SECONDS
        self._rows.update((key, (expires_at, row)) for key, row in rows.items())

    def __len__(self) -> int:
        return len(self._rows)


class RowCache:
    """The rows that were read since the last change of any event."""

    __slots__ = ("bills", "counts", "events", "pages", "venues")

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.events: TtlTable[UUID, EventRow] = TtlTable(clock)
        self.venues: TtlTable[UUID, VenueRow] = TtlTable(clock)
        self.bills: TtlTable[UUID, list[PerformerRow]] = TtlTable(clock)
        self.counts: TtlTable[UUID, Any] = TtlTable(clock)
        """Counted places of the events that Redis does not hold"""
        self.pages: TtlTable[Hashable, Any] = TtlTable(clock)
        """Pages of lists, in the form that the resolvers give them"""

    def is_full(self) -> bool:
        """Whether its tables hold `MAX_ROWS` together."""
        rows = len(self.events) + len(self.venues) + len(self.bills)
        return rows + len(self.counts) + len(self.pages) >= MAX_ROWS


class RowCaches:
    """The current row cache of a process.

    A new one begins with each change of an event that this process makes or receives. A request stores what
    it reads in the cache that it began with, so a row that was being read during a change is never returned
    to the requests after the change.
    """

    def __init__(self, revision: Callable[[], int], clock: Clock = time.monotonic) -> None:
        self._revision = revision
        self._clock = clock
        self._current = RowCache(clock)
        self._current_revision = revision()

    def current(self) -> RowCache:
        """The cache for a request that begins now."""
        revision = self._revision()
        if revision != self._current_revision or self._current.is_full():
            self._current, self._current_revision = RowCache(self._clock), revision
        return self._current
