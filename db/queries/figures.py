"""The figures of a sale that operators watch, at a bounded cost."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.queries.leases import Leader, read_leaders
from db.queries.orders import Source
from db.queries.search import STANDING

_MOST_COUNTED = 10_000
_RECENT_CLAIMS = 20_000


@dataclass(frozen=True, slots=True)
class Figures:
    """The state of the sale; every count stops at 10,000."""

    outbox_waiting: int
    outbox_age_seconds: float
    orders: dict[str, int]
    payments: dict[str, int]
    search_lag_seconds: float
    search_refused: int
    leaders: list[Leader]


async def read_figures(source: Source, now: datetime) -> Figures:
    """Read the figures; each part of the statement uses a small index."""
    row = await source.fetchrow(
        """
        WITH tasks AS (
          -- A refund that waits for its turn is as old as that.
          SELECT CASE attempts WHEN 0 THEN greatest(created_at, available_at) ELSE created_at END
            AS created_at
          FROM outbox LIMIT $2
        ),
        live AS (SELECT state FROM orders WHERE state IN ('RESERVED', 'PAYING') LIMIT $2),
        open AS (
          SELECT state FROM payments WHERE state IN ('REQUIRES_ACTION', 'PROCESSING', 'AUTHORIZED') LIMIT $2
        )
        SELECT (SELECT count(*) FROM tasks) AS waiting,
          (SELECT extract(epoch FROM $1::timestamptz - min(created_at)) FROM tasks)::float8 AS age,
          (SELECT jsonb_object_agg(state, n) FROM (SELECT state, count(*) AS n FROM live GROUP BY state) AS a)
            AS orders,
          (SELECT jsonb_object_agg(state, n) FROM (SELECT state, count(*) AS n FROM open GROUP BY state) AS b)
            AS payments
        """,
        now,
        _MOST_COUNTED,
    )
    search = await source.fetchrow(STANDING)
    assert row is not None, "an aggregate has a row"
    return Figures(
        outbox_waiting=row["waiting"],
        outbox_age_seconds=max(row["age"] or 0.0, 0.0),
        orders={"RESERVED": 0, "PAYING": 0} | (row["orders"] or {}),
        payments={"REQUIRES_ACTION": 0, "PROCESSING": 0, "AUTHORIZED": 0} | (row["payments"] or {}),
        search_lag_seconds=search["lag_seconds"] if search else 0.0,
        search_refused=search["refused"] if search else 0,
        leaders=await read_leaders(source),
    )


@dataclass(frozen=True, slots=True)
class EventDemand:
    """The orders of an event within the last minute, and how many of them are booked by now."""

    event_id: UUID
    name: str
    holds: int
    booked: int


@dataclass(frozen=True, slots=True)
class Demand:
    """The same over all events, with the events that have the most orders."""

    holds: int
    booked: int
    hottest: tuple[EventDemand, ...]


async def read_demand(source: Source, most: int) -> Demand:
    """The demand within the last minute, from the latest 20,000 claims."""
    rows = await source.fetch(
        """
        WITH latest AS (SELECT order_id FROM claims ORDER BY id DESC LIMIT $2),
        recent AS (SELECT DISTINCT order_id FROM latest WHERE order_id IS NOT NULL)
        SELECT orders.event_id, events.name, count(*)::int AS holds,
          count(*) FILTER (WHERE orders.state IN ('BOOKED', 'REFUNDED'))::int AS booked,
          (sum(count(*)) OVER ())::int AS all_holds,
          (sum(count(*) FILTER (WHERE orders.state IN ('BOOKED', 'REFUNDED'))) OVER ())::int AS all_booked
        FROM recent JOIN orders ON orders.id = recent.order_id JOIN events ON events.id = orders.event_id
        WHERE orders.created_at > now() - interval '1 minute'
        GROUP BY orders.event_id, events.name ORDER BY holds DESC, events.name LIMIT $1
        """,
        most,
        _RECENT_CLAIMS,
    )
    if not rows:
        return Demand(0, 0, ())
    hottest = tuple(EventDemand(row["event_id"], row["name"], row["holds"], row["booked"]) for row in rows)
    return Demand(rows[0]["all_holds"], rows[0]["all_booked"], hottest)
