"""What requests of one moment share of what was read: rows that nobody changed in between."""

import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Generic, TypeVar
from uuid import UUID

from db.queries.events import EventRow
from db.queries.performers import PerformerRow
from db.queries.venues import VenueRow

LONGEST_SECONDS = 1.0
MOST_ROWS = 4_096

Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")
Clock = Callable[[], float]


class Kept(Generic[Key, Row]):
    """Rows by their keys, absence not among them.

    Of those who ask for a row that has been here for a second, the first is told that there is none and
    reads it again; the others have the old one until then, so that a crowd never reads at once.
    """

    __slots__ = ("_clock", "_rows")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: dict[Key, tuple[float, Row]] = {}
        """Each with the time until which it is shared"""

    def get(self, key: Key) -> Row | None:
        """The row, or None where it has to be read."""
        entry = self._rows.get(key)
        if entry is None:
            return None
        until, row = entry
        now = self._clock()
        if now < until:
            return row
        self._rows[key] = (now + LONGEST_SECONDS, row)
        return None

    def keep(self, rows: Mapping[Key, Row]) -> None:
        """Share what was read."""
        until = self._clock() + LONGEST_SECONDS
        self._rows.update((key, (until, row)) for key, row in rows.items())

    def __len__(self) -> int:
        return len(self._rows)


class Moment:
    """The rows that are shared while nothing is changed."""

    __slots__ = ("bills", "counts", "events", "pages", "venues")

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.events: Kept[UUID, EventRow] = Kept(clock)
        self.venues: Kept[UUID, VenueRow] = Kept(clock)
        self.bills: Kept[UUID, list[PerformerRow]] = Kept(clock)
        self.counts: Kept[UUID, Any] = Kept(clock)
        """Counted places of events that nobody has touched yet"""
        self.pages: Kept[Hashable, Any] = Kept(clock)
        """Pages of lists, in whatever form the resolvers give them"""

    def is_full(self) -> bool:
        """Whether it holds as much as it may."""
        rows = len(self.events) + len(self.venues) + len(self.bills)
        return rows + len(self.counts) + len(self.pages) >= MOST_ROWS


class Moments:
    """The present moment of one process.

    It ends as soon as this process makes or hears of a change of any event. What a request reads is put into
    the moment that the request began in, so a row that was on its way while another request changed it is
    never given to those who come after the change.
    """

    def __init__(self, revision: Callable[[], int], clock: Clock = time.monotonic) -> None:
        self._revision = revision
        self._clock = clock
        self._moment = Moment(clock)
        self._of_revision = revision()

    def present(self) -> Moment:
        """The moment that a request beginning now belongs to."""
        revision = self._revision()
        if revision != self._of_revision or self._moment.is_full():
            self._moment, self._of_revision = Moment(self._clock), revision
        return self._moment
