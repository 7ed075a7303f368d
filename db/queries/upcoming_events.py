"""Pages of the published events that are not over.

A statement walks an index in the order of the page and stops when the page is full, so it reads about as many
events as it returns, however many are over. What could make it walk far is looked up first: the venues of a
city and the events of a performer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from db.queries.events import EVENT_COLUMNS, EventRow
from db.queries.pages import TimePage, binder
from db.session import Database
from domain.states import ASSUMED_DURATION

_MOST_VENUES = 100
"""With more venues the events of all are walked: enough of them are at these"""


class EventOrder(StrEnum):
    """How a page of events is sorted; the id breaks ties."""

    STARTS_AT_ASC = "STARTS_AT_ASC"
    STARTS_AT_DESC = "STARTS_AT_DESC"
    CREATED_AT_DESC = "CREATED_AT_DESC"


@dataclass(frozen=True, slots=True)
class EventConditions:
    """Conditions on upcoming published events; None is no condition."""

    starts_from: datetime | None = None
    starts_to: datetime | None = None
    city: str | None = None
    category: str | None = None
    venue_id: UUID | None = None
    performer_id: UUID | None = None
    on_sale: bool | None = None


# The column of each order, and whether it descends.
_SORT = {
    EventOrder.STARTS_AT_ASC: ("starts_at", False),
    EventOrder.STARTS_AT_DESC: ("starts_at", True),
    EventOrder.CREATED_AT_DESC: ("created_at", True),
}
# The same times as domain.states.event_status. An event without an end is over six hours after its start, so
# what began earlier and goes on is an event of many hours, which has an index of its own.
_STARTED_LATELY = "e.starts_at > {early} AND (e.ends_at IS NULL OR e.ends_at > {now})"
_OF_DAYS = "e.ends_at - e.starts_at > interval '6 hours' AND e.ends_at > {now} AND e.starts_at <= {early}"
_SELLING = (
    "((e.on_sale_at IS NULL OR e.on_sale_at <= {now})"
    " AND (e.off_sale_at IS NULL OR e.off_sale_at > {now}) AND NOT e.sold_out)"
)


async def upcoming_events(
    database: Database,
    wanted: EventConditions,
    order: EventOrder,
    page: TimePage,
    now: datetime,
) -> list[EventRow]:
    """A page of the events that are not over, in order."""
    arguments: list[Any] = []
    search = await _Search.of(database, wanted, now, arguments)
    column, descending = _SORT[order]
    limits = page.conditions(f"e.{column}", "e.id", binder(arguments), descending=descending)
    found = " UNION ALL ".join(search.walks(column, page, limits, descending=descending))
    in_order = page.order(f"found.{column}", "found.id", descending=descending)
    # The limits are part of the text, because the planner has to know them; OFFSET 0 keeps it from joining
    # before the page is cut.
    statement = f"""
        SELECT {EVENT_COLUMNS}
        FROM (SELECT * FROM ({found}) AS found ORDER BY {in_order} LIMIT {page.most} OFFSET 0) AS found
        JOIN events e ON e.id = found.id ORDER BY {in_order}
        """
    records = await database.fetch(statement, *arguments)
    return page.in_order([EventRow(*record) for record in records])


async def count_upcoming_events(database: Database, wanted: EventConditions, now: datetime) -> int:
    """The number of events that `upcoming_events` finds on all pages."""
    arguments: list[Any] = []
    search = await _Search.of(database, wanted, now, arguments)
    counts = [f"(SELECT count(*) FROM events e WHERE {where})" for where in search.conditions()]
    return int(await database.fetchval(f"SELECT {' + '.join(counts)}", *arguments))


@dataclass(frozen=True, slots=True)
class _Search:
    """The conditions in SQL on those that started lately or later, and on those that run for longer."""

    periods: tuple[str, str]
    others: Sequence[str]
    venues: str | None
    """The argument with the venues, where there are any conditions on them"""
    each_venue: bool

    @classmethod
    async def of(
        cls, database: Database, wanted: EventConditions, now: datetime, arguments: list[Any]
    ) -> "_Search":
        """Look up what the conditions name; their values are added to the arguments."""
        bind = binder(arguments)
        times = {"now": f"{bind(now)}::timestamptz", "early": f"{bind(now - ASSUMED_DURATION)}::timestamptz"}
        others = ["e.state = 'PUBLISHED'"]
        if wanted.starts_from is not None:
            others.append(f"e.starts_at >= {bind(wanted.starts_from)}")
        if wanted.starts_to is not None:
            others.append(f"e.starts_at < {bind(wanted.starts_to)}")
        if wanted.category is not None:
            others.append(f"lower(e.category) = lower({bind(wanted.category)})")
        if wanted.performer_id is not None:
            others.append(f"e.id = ANY ({bind(await _events_of(database, wanted.performer_id))}::uuid[])")
        if wanted.on_sale is not None:
            others.append(("" if wanted.on_sale else "NOT ") + _SELLING.format(**times))
        venues = await _venues_of(database, wanted)
        return cls(
            (_STARTED_LATELY.format(**times), _OF_DAYS.format(**times)),
            others,
            None if venues is None else f"{bind(venues)}::uuid[]",
            venues is not None and len(venues) <= _MOST_VENUES,
        )

    def conditions(self) -> list[str]:
        """The whole condition of either period."""
        at_venues = [] if self.venues is None else [f"e.venue_id = ANY ({self.venues})"]
        return [" AND ".join([*self.others, *at_venues, period]) for period in self.periods]

    def walks(self, column: str, page: TimePage, limits: Sequence[str], *, descending: bool) -> list[str]:
        """A SELECT of each period, which ends when the page is full; at few venues, one for each of them."""
        order = page.order(f"e.{column}", "e.id", descending=descending)
        keys = f"e.id, e.{column}"
        if not self.each_venue:
            return [
                f"(SELECT {keys} FROM events e WHERE {' AND '.join([where, *limits])}"
                f" ORDER BY {order} LIMIT {page.most})"
                for where in self.conditions()
            ]
        return [
            f"SELECT at_venue.* FROM unnest({self.venues}) AS wanted (venue_id) CROSS JOIN LATERAL ("
            f"SELECT {keys} FROM events e"
            f" WHERE {' AND '.join(['e.venue_id = wanted.venue_id', *self.others, period, *limits])}"
            f" ORDER BY {order} LIMIT {page.most}) AS at_venue"
            for period in self.periods
        ]


async def _venues_of(database: Database, wanted: EventConditions) -> list[UUID] | None:
    """The venues that the conditions leave; None where they name neither a city nor a venue."""
    if wanted.city is None:
        return None if wanted.venue_id is None else [wanted.venue_id]
    rows = await database.fetch("SELECT id FROM venues WHERE lower(city) = lower($1)", wanted.city)
    return [row["id"] for row in rows if wanted.venue_id in (None, row["id"])]


async def _events_of(database: Database, performer_id: UUID) -> list[UUID]:
    rows = await database.fetch("SELECT event_id FROM event_performers WHERE performer_id = $1", performer_id)
    return [row["event_id"] for row in rows]
