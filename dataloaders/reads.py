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

    __slots__ = ("_before", "_moment", "_rows", "_snapshots", "_until", "is_whole")

    def __init__(self, moment: Moment) -> None:
        self.is_whole = True
        self._moment = moment
        self._until = math.inf  # by the clock of the moment's rows
        self._before: datetime | None = None
        self._rows: list[tuple[dict[Any, Any], Any, Any]] = []
        self._snapshots: list[tuple[UUID, object]] = []

    def row(self, kept: Kept[Key, Row], key: Key) -> Row | None:
        """A row of the moment, or None where it has to be read."""
        entry = kept.entry(key)
        if entry is None:
            return None
        self._rows.append((kept.rows, key, entry))
        self._until = min(self._until, entry[0])
        return entry[1]

    def snapshot(self, event_id: UUID, snapshot: object) -> None:
        """Note an event's places as this process has them, None where it has none."""
        self._snapshots.append((event_id, snapshot))

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
        if moment is not self._moment or moment.clock() >= self._until:
            return False
        if self._before is not None and now >= self._before:
            return False
        for rows, key, entry in self._rows:
            if rows.get(key) is not entry:
                return False
        return all(recent(event_id) is snapshot for event_id, snapshot in self._snapshots)
