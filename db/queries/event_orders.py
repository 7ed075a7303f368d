"""The orders of one event, for its organiser: by page, and by what an organiser knows of an order.

A search reads the event's orders one by one, by the indexes that selling needs anyway: 20,000 orders take
35 ms. An index over names and addresses would be written at every hold, and would keep erased persons.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.queries.columns import columns_of
from db.queries.orders import OrderRow, Source
from db.queries.pages import TimePage, binder

_OF_EVENT = """
orders.event_id = $1 AND ($2::text IS NULL OR $2 =
  CASE WHEN state = 'RESERVED' AND expires_at <= $3 THEN 'EXPIRED' ELSE state END)
"""
# OFFSET 0 keeps the planner from a join, for which it would read the users of the whole installation.
_BY_BUYER = """
(reference LIKE $4 OR EXISTS (
  SELECT FROM users WHERE users.id = orders.user_id
    AND lower(coalesce(name, '') || ' ' || coalesce(email, '')) LIKE ALL ($5::text[])
  OFFSET 0
))
"""
_DISPUTED = """
EXISTS (
  SELECT FROM payments JOIN disputes ON payment_id = payments.id
  WHERE payments.order_id = orders.id AND disputes.state IN ('INQUIRY', 'OPEN', 'LOST')
)
"""
_BY_PLACE = """
(reference LIKE $4 OR EXISTS (
  SELECT FROM claims WHERE claims.order_id = orders.id AND place = ANY ($5::int[]) OFFSET 0
))
"""


@dataclass(frozen=True, slots=True)
class OrderSearch:
    """What an organiser looks for: a reference, or the places where there are any, else the words."""

    reference: str | None
    """How the reference begins"""
    words: Sequence[str] = ()
    """All of which stand in the buyer's name or address, in lower case"""
    places: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class EventOrders:
    """Which orders of an event; `now` tells which unpaid holds have lapsed."""

    event_id: UUID
    status: str | None
    now: datetime
    search: OrderSearch | None
    disputed: bool | None = None
    """Whether a dispute is open or lost; None for both"""

    def condition(self) -> tuple[str, list[object]]:
        """The condition in SQL with its arguments, from $1 on."""
        arguments: list[object] = [self.event_id, self.status, self.now]
        of_event = _OF_EVENT
        if self.disputed is not None:
            of_event += f" AND {_DISPUTED if self.disputed else f'NOT {_DISPUTED}'}"
        if self.search is None:
            return of_event, arguments
        reference = self.search.reference
        arguments.append(None if reference is None else f"{_escaped(reference)}%")
        if self.search.places:
            return f"{of_event} AND {_BY_PLACE}", [*arguments, list(self.search.places)]
        return f"{of_event} AND {_BY_BUYER}", [
            *arguments,
            [f"%{_escaped(word)}%" for word in self.search.words],
        ]


async def orders_of_event(source: Source, wanted: EventOrders, page: TimePage) -> list[OrderRow]:
    """A page of an event's orders, newest first."""
    condition, arguments = wanted.condition()
    bind = binder(arguments)
    limits = page.conditions("created_at", "id", bind, descending=True)
    rows = await source.fetch(
        f"""
        SELECT {columns_of(OrderRow)} FROM orders WHERE {" AND ".join([condition, *limits])}
        ORDER BY {page.order("created_at", "id", descending=True)} LIMIT {bind(page.most)}
        """,
        *arguments,
    )
    return page.in_order([OrderRow(**row) for row in rows])


async def count_orders_of_event(source: Source, wanted: EventOrders) -> int:
    """The number of such orders."""
    condition, arguments = wanted.condition()
    return int(await source.fetchval(f"SELECT count(*) FROM orders WHERE {condition}", *arguments))


def _escaped(text: str) -> str:
    """Text that LIKE compares as it is."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
