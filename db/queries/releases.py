"""The unpaid orders that a person released or let lapse."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from db.queries.orders import NewOrder, Source


@dataclass(frozen=True, slots=True)
class Releases:
    """How many orders of one event a person has released or let lapse, and when the latest ended."""

    count: int = 0
    latest: datetime | None = None


async def releases_before(
    source: Source, orders: Sequence[NewOrder], since: datetime, now: datetime
) -> list[Releases]:
    """Count, for each new order, what its person has released of its event since `since`."""
    rows = await source.fetch(
        "SELECT number, releases, latest FROM count_releases($1, $2, $3, $4, $5)",
        [order.row.event_id for order in orders],
        [order.keys.person for order in orders],
        [order.keys.address for order in orders],
        since,
        now,
    )
    found = [Releases()] * len(orders)
    for number, count, latest in rows:
        found[number - 1] = Releases(count, latest)
    return found
