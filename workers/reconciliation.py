"""The loop that compares Redis with PostgreSQL: what has changed in every round, all else in rotation."""

import time
from collections.abc import AsyncIterator, Callable, Collection
from datetime import datetime, timedelta
from uuid import UUID

from db.queries.built_maps import built_events
from domain.errors import NotFound
from kit.clock import milliseconds
from reservations.changed_events import TOUCH_SECONDS
from services.context import ServiceContext, reading
from services.ordering.reconcile import Difference, correct_standing, differences

ROTATION_SECONDS = 0.1
"""The time that a round spends on events that have not changed: a hundredth of the pause between rounds."""
_SLACK = timedelta(seconds=TOUCH_SECONDS + 5.0)
_PAGE = 200
_FIRST = UUID(int=0)


class Reconciliation:
    """Corrects in Redis the differences that two rounds in a row find.

    A round compares the events that have changed since the last one and those in which that found a
    difference, and then, for a fixed time, others in turn. An event that fails ends the round for no other.
    """

    def __init__(self, context: ServiceContext, timer: Callable[[], float] = time.monotonic) -> None:
        self._context = context
        self._timer = timer
        self._seen: dict[UUID, frozenset[Difference]] = {}
        self._last_round: datetime | None = None
        self._passed = _FIRST

    async def __call__(self) -> int:
        """Return 0, so that the loop pauses.

        Raises:
            Exception: The first failure of an event, after all the others.
        """
        began, failures = self._context.now(), list[Exception]()
        since = (self._last_round or began - self._context.hold_time) - _SLACK
        changed = await self._context.seats.changed.since(milliseconds(since))
        wanted = list(dict.fromkeys([*self._seen, *changed]))
        before, self._seen = self._seen, {}
        for event_id in wanted:
            await self._compare(event_id, before, failures)
        async for event_id in self._others(wanted):
            await self._compare(event_id, before, failures)
        self._last_round = began
        if failures:
            raise failures[0]
        return 0

    async def _compare(
        self, event_id: UUID, before: dict[UUID, frozenset[Difference]], failures: list[Exception]
    ) -> None:
        earlier = before.get(event_id, frozenset())
        try:
            found = await differences(self._context, event_id)
            standing = found & earlier
            if standing:
                standing = await correct_standing(self._context, event_id, standing)
        except NotFound:
            return
        except Exception as failure:
            failures.append(failure)
            self._seen[event_id] = earlier
            return
        if found - standing:
            self._seen[event_id] = found - standing

    async def _others(self, without: Collection[UUID]) -> AsyncIterator[UUID]:
        """The next events in turn, until the time is up; a round passes none of them twice."""
        ends = self._timer() + ROTATION_SECONDS
        page = await reading(built_events(self._context.database, self._passed, _PAGE))
        for event_id in page:
            if self._timer() >= ends:
                return
            self._passed = event_id
            if event_id not in without:
                yield event_id
        if len(page) < _PAGE:
            self._passed = _FIRST
