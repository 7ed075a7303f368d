"""The orders of one event, for its organiser: by page, and by what an organiser knows of an order.

The index has the orders of each state in the order of the page. So a page is merged from a page of each
state, and reads as many rows in a sale of any size.

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
from domain.states import OrderState

# A hold past its deadline is over, whatever its row says.
_LAPSED, _HELD = "(state <> 'RESERVED' OR expires_at <= {now})", "(state <> 'RESERVED' OR expires_at > {now})"
# OFFSET 0 keeps the planner from a join, for which it would read the users of the whole installation.
_BY_BUYER = """
(reference LIKE {reference} OR EXISTS (
  SELECT FROM users WHERE users.id = orders.user_id
    AND lower(coalesce(name, '') || ' ' || coalesce(email, '')) LIKE ALL ({words}::text[])
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
(reference LIKE {reference} OR EXISTS (
  SELECT FROM claims WHERE claims.order_id = orders.id AND place = ANY ({places}::int[]) OFFSET 0
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

    @property
    def states(self) -> list[str]:
        """The states of their rows."""
        if self.status is None:
            return list(OrderState)
        return [self.status, OrderState.RESERVED] if self.status == OrderState.EXPIRED else [self.status]

    def condition(self) -> tuple[str, list[object]]:
        """The condition in SQL on orders of one of the states, with its arguments, from $1 on."""
        arguments: list[object] = []
        bind = binder(arguments)
        conditions = [f"orders.event_id = {bind(self.event_id)}"]
        if self.status in (OrderState.EXPIRED, OrderState.RESERVED):
            at_time = _LAPSED if self.status == OrderState.EXPIRED else _HELD
            conditions.append(at_time.format(now=bind(self.now)))
        if self.disputed is not None:
            conditions.append(_DISPUTED if self.disputed else f"NOT {_DISPUTED}")
        if self.search is not None:
            reference = self.search.reference
            begins = bind(None if reference is None else f"{_escaped(reference)}%")
            if self.search.places:
                places = bind(list(self.search.places))
                conditions.append(_BY_PLACE.format(reference=begins, places=places))
            else:
                words = bind([f"%{_escaped(word)}%" for word in self.search.words])
                conditions.append(_BY_BUYER.format(reference=begins, words=words))
        return " AND ".join(conditions), arguments


async def orders_of_event(source: Source, wanted: EventOrders, page: TimePage) -> list[OrderRow]:
    """A page of an event's orders, newest first."""
    condition, arguments = wanted.condition()
    bind = binder(arguments)
    limits = page.conditions("created_at", "id", bind, descending=True)
    order = page.order("created_at", "id", descending=True)
    rows = await source.fetch(
        f"""
        SELECT found.* FROM unnest({bind(wanted.states)}::text[]) AS wanted (state) CROSS JOIN LATERAL (
          SELECT {columns_of(OrderRow)} FROM orders
          WHERE {" AND ".join(["orders.state = wanted.state", condition, *limits])}
          ORDER BY {order} LIMIT {page.most}
        ) AS found
        ORDER BY {order} LIMIT {page.most}
        """,
        *arguments,
    )
    return page.in_order([OrderRow(**row) for row in rows])


async def count_orders_of_event(source: Source, wanted: EventOrders) -> int:
    """The number of such orders; without a search the index alone is read."""
    condition, arguments = wanted.condition()
    states = f"orders.state = ANY ({binder(arguments)(wanted.states)}::text[])"
    return int(
        await source.fetchval(f"SELECT count(*) FROM orders WHERE {states} AND {condition}", *arguments)
    )


def _escaped(text: str) -> str:
    """Text that LIKE compares as it is."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
