"""What an answer was made of: whoever would read the same has the same answer."""

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from dataloaders.moment import Kept, Key, Moment, Row
from db.queries.events import EventRow
from domain.states import EventStatus, status_until


class Reads:
    """Everything that one execution read and that may change, as far as it is kept account of.

    `is_whole` is false as soon as something else was read: then nothing follows from what is written here.
    """

    __slots__ = ("_before", "_mark", "_places", "_rows", "_until", "is_whole")

    def __init__(self, moment: Moment) -> None:
        self.is_whole = True
        self._mark = moment.mark
        self._until = math.inf  # by the clock of the moment's rows
        self._before: datetime | None = None
        # Not the moment's tables: an account outlives its moment, and must not keep the other rows.
        self._rows: list[tuple[str, Any, Any]] = []
        self._places: list[tuple[UUID, object]] = []

    def row(self, kept: Kept[Key, Row], key: Key) -> Row | None:
        """A row of the moment, or None where it has to be read."""
        entry = kept.entry(key)
        if entry is None:
            return None
        self._rows.append((kept.name, key, entry))
        self._until = min(self._until, entry[0])
        return entry[1]

    def places(self, event_id: UUID, version: object) -> None:
        """Note the version of an event's places that this process has, None where it has none."""
        self._places.append((event_id, version))

    def status(self, event: EventRow, now: datetime) -> EventStatus:
        """An event's status, which time alone may change."""
        until = status_until(event, now)
        if until is not None and (self._before is None or until < self._before):
            self._before = until
        return event.status_at(now)

    def would_be_the_same(
        self, moment: Moment, now: datetime, recent: Callable[[UUID], object | None]
    ) -> bool:
        """Whether an execution in this moment would read just what this one has read."""
        if moment.mark is not self._mark or moment.clock() >= self._until:
            return False
        if self._before is not None and now >= self._before:
            return False
        for name, key, entry in self._rows:
            if getattr(moment, name).rows.get(key) is not entry:
                return False
        return all(recent(event_id) == version for event_id, version in self._places)
