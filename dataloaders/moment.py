"""What requests of one moment share of what was read: rows that nobody changed in between."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from db.queries.events import EventRow
from db.queries.performers import PerformerRow
from db.queries.venues import VenueRow

LONGEST_SECONDS = 1.0
MOST_ROWS = 4_096


@dataclass(frozen=True, slots=True)
class Moment:
    """Rows by their keys, as they were read at this moment; absence is not remembered."""

    events: dict[UUID, EventRow] = field(default_factory=dict)
    venues: dict[UUID, VenueRow] = field(default_factory=dict)
    bills: dict[UUID, list[PerformerRow]] = field(default_factory=dict)
    pages: dict[Hashable, Any] = field(default_factory=dict)
    """Pages of lists, in whatever form the resolvers give them"""

    def is_full(self) -> bool:
        """Whether it holds as much as it may."""
        return len(self.events) + len(self.venues) + len(self.bills) + len(self.pages) >= MOST_ROWS


class Moments:
    """The present moment of one process.

    It ends as soon as this process makes or hears of a change of any event, and after a second. What a
    request reads is put into the moment that the request began in, so a row that was on its way while
    another request changed it is never given to those who come after the change.
    """

    def __init__(self, revision: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._revision = revision
        self._clock = clock
        self._moment = Moment()
        self._of_revision = revision()
        self._until = clock() + LONGEST_SECONDS

    def present(self) -> Moment:
        """The moment that a request beginning now belongs to."""
        revision, now = self._revision(), self._clock()
        if revision != self._of_revision or now >= self._until or self._moment.is_full():
            self._moment, self._of_revision = Moment(), revision
            self._until = now + LONGEST_SECONDS
        return self._moment
