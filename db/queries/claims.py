"""Live claims: the places of an event that are held, booked or blocked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.queries.orders import Source
from db.session import Connection
from db.violations import violations_by_constraint
from domain.ticket_limits import LimitKeys

# OFFSET 0 keeps the planner from joining a large house with the orders of all events.
_ORDERS_OF_EVENTS = """
(SELECT id, state, expires_at, user_id, person_key, address_key, network
 FROM orders WHERE event_id = ANY ($1) OFFSET 0) AS orders
"""


@dataclass(frozen=True, slots=True)
class LiveClaim:
    """A claimed place. `order_state` and `expires_at` are None where it is blocked."""

    event_id: UUID
    place: int
    state: str
    order_id: UUID | None
    order_state: str | None
    expires_at: datetime | None
    user_id: UUID | None
    person_key: UUID | None
    address_key: UUID | None
    network: str | None

    @property
    def keys(self) -> LimitKeys:
        """The budgets that it counts against."""
        return LimitKeys(self.person_key, self.address_key, self.user_id, self.network)


async def live_claims(
    source: Source, event_ids: Sequence[UUID], places: Sequence[int] | None = None
) -> list[LiveClaim]:
    """The live claims of events, by event and place; only those on `places`, where given."""
    orders, few = (_ORDERS_OF_EVENTS, "") if places is None else ("orders", " AND place = ANY ($2)")
    rows = await source.fetch(
        f"""
        SELECT claims.event_id, place, claims.state, order_id, orders.state, expires_at,
          user_id, person_key, address_key, network
        FROM claims LEFT JOIN {orders} ON orders.id = claims.order_id
        WHERE claims.event_id = ANY ($1) AND claims.state <> 'ENDED'{few}
        ORDER BY claims.event_id, place
        """,
        list(event_ids),
        *(() if places is None else (list(places),)),
    )
    return [LiveClaim(*row) for row in rows]


async def next_first_version(source: Source, event_id: UUID) -> int:
    """The version at which the next epoch of an event's places starts, far above the last."""
    return int(
        await source.fetchval(
            """
            INSERT INTO place_epochs (event_id, first_version) VALUES ($1, 0)
            ON CONFLICT (event_id)
              DO UPDATE SET first_version = place_epochs.first_version + 50000, built_at = now()
            RETURNING first_version
            """,
            event_id,
        )
    )


async def raise_first_version(source: Source, event_id: UUID, version: int) -> None:
    """Make the next epoch start at `version` or above, however many changes the current one had.

    It goes some way further, so that few of many calls write.
    """
    await source.fetch(
        "UPDATE place_epochs SET first_version = $2 + 50000 WHERE event_id = $1 AND first_version < $2",
        event_id,
        version,
    )


async def block_places(connection: Connection, event_id: UUID, places: Sequence[int]) -> list[int]:
    """Block places; returns those that a live claim has, in which case nothing was inserted.

    Raises:
        PlaceTaken: one of them was claimed meanwhile.
    """
    taken = [
        row["place"]
        for row in await connection.fetch(
            """
            SELECT place FROM claims
            WHERE event_id = $1 AND place = ANY ($2) AND state IN ('HELD', 'BOOKED') ORDER BY place
            """,
            event_id,
            list(places),
        )
    ]
    if taken:
        return taken
    with violations_by_constraint():
        await connection.execute(
            """
            INSERT INTO claims (event_id, place, state, price_minor, fee_minor)
            SELECT $1, wanted.place, 'BLOCKED', 0, 0 FROM unnest($2::int[]) AS wanted (place)
            WHERE NOT EXISTS (
              SELECT FROM claims WHERE event_id = $1 AND claims.place = wanted.place AND state = 'BLOCKED'
            )
            ORDER BY wanted.place
            """,
            event_id,
            sorted(places),
        )
    return []


async def unblock_places(connection: Connection, event_id: UUID, places: Sequence[int]) -> None:
    """Unblock places: they are on sale again."""
    await connection.execute(
        """
        UPDATE claims SET state = 'ENDED'
        WHERE event_id = $1 AND place = ANY ($2) AND state = 'BLOCKED'
        """,
        event_id,
        list(places),
    )


async def set_sold_out(source: Source, event_id: UUID, *, sold_out: bool) -> bool:
    """Mark an event as sold out or not; returns whether that changed anything."""
    return bool(
        await source.fetchval(
            "UPDATE events SET sold_out = $2 WHERE id = $1 AND sold_out <> $2 RETURNING true",
            event_id,
            sold_out,
        )
    )
