"""The queries of the doctor: orders whose rows are inconsistent, and work that is stuck."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.queries.orders import Source
from db.violations import violations_by_constraint
from domain.outbox import Topic
from domain.states import UNPAID_STATES, OrderState


@dataclass(frozen=True, slots=True)
class OrderStanding:
    """An order with its places and the amounts that they add up to, in minor units."""

    id: UUID
    reference: str
    event_id: UUID
    state: str
    currency: str
    total_minor: int
    expires_at: datetime
    live_minor: int
    live_places: tuple[int, ...]
    held_places: tuple[int, ...]
    """The live ones that are held, not booked"""
    lost_places: tuple[int, ...]
    """Ended ones that no other live claim has"""
    refunds_minor: int
    """Decided or sent, those made by hand included"""
    tickets_minor: int
    """The price of the tickets that refunds ended"""
    waiting_minor: int
    """Decided refunds that an open dispute blocks"""
    lost_minor: int
    """Lost in disputes"""
    intent_id: str | None
    payment_state: str | None
    has_task: bool
    """Whether the outbox has a task for it"""


_STANDING = """
  SELECT o.id, o.reference, o.event_id, o.state, o.currency, o.total_minor, o.expires_at,
    coalesce(sum(c.price_minor + c.fee_minor) FILTER (WHERE c.state <> 'ENDED'), 0)::bigint AS live_minor,
    coalesce(array_agg(c.place ORDER BY c.place) FILTER (WHERE c.state <> 'ENDED'), '{}') AS live_places,
    coalesce(array_agg(c.place ORDER BY c.place) FILTER (WHERE c.state = 'HELD'), '{}') AS held_places,
    coalesce(array_agg(c.place ORDER BY c.place) FILTER (WHERE c.state = 'ENDED' AND NOT EXISTS (
      SELECT FROM claims other
      WHERE other.event_id = c.event_id AND other.place = c.place AND other.state <> 'ENDED'
    )), '{}') AS lost_places,
    coalesce((
      SELECT sum(amount_minor) FROM refunds WHERE refunds.payment_id = p.id AND refunds.state <> 'FAILED'
    ), 0)::bigint AS refunds_minor,
    coalesce((
      SELECT sum(coalesce(tickets_minor, amount_minor)) FROM refunds WHERE refunds.payment_id = p.id
    ), 0)::bigint AS tickets_minor,
    coalesce((
      SELECT sum(amount_minor) FROM refunds WHERE refunds.payment_id = p.id AND refunds.state = 'DECIDED'
      AND EXISTS (SELECT FROM disputes WHERE disputes.payment_id = p.id AND disputes.state = 'OPEN')
    ), 0)::bigint AS waiting_minor,
    coalesce((
      SELECT sum(amount_minor) FROM disputes WHERE disputes.payment_id = p.id AND disputes.state = 'LOST'
    ), 0)::bigint AS lost_minor,
    p.intent_id, p.state AS payment_state,
    EXISTS (SELECT FROM outbox WHERE outbox.key = o.id::text) AS has_task
  FROM orders o LEFT JOIN claims c ON c.order_id = o.id LEFT JOIN payments p ON p.order_id = o.id
"""


async def standings_of(source: Source, order_ids: Sequence[UUID]) -> list[OrderStanding]:
    """These orders with their places and amounts."""
    rows = await source.fetch(
        f"SELECT * FROM ({_STANDING} WHERE o.id = ANY ($1) GROUP BY o.id, p.id) standing", list(order_ids)
    )
    return [_standing(row) for row in rows]


@dataclass(frozen=True, slots=True)
class OrderPage:
    """What a page of orders has that is to be looked at closely, and its last order."""

    last: UUID
    number: int
    suspects: tuple[UUID, ...]
    without_payment: tuple[UUID, ...]
    """Booked, with a total above 0 and no intent"""


# A booked order with fewer places than it has paid for may have been refunded in part: its standing tells.
_PAGE = """
WITH page AS MATERIALIZED (
  SELECT id, state, total_minor, expires_at FROM orders WHERE id > $1 ORDER BY id LIMIT $2
), summed AS MATERIALIZED (
  SELECT page.*, live.minor, live.number, live.held, paid.intent_id
  FROM page CROSS JOIN LATERAL (
    SELECT coalesce(sum(price_minor + fee_minor), 0) AS minor, count(*) AS number,
      count(*) FILTER (WHERE claims.state = 'HELD') AS held
    FROM claims WHERE claims.order_id = page.id AND claims.state <> 'ENDED'
  ) AS live
  LEFT JOIN LATERAL (SELECT intent_id FROM payments WHERE payments.order_id = page.id) AS paid ON true
)
SELECT count(*)::int AS number, (array_agg(id ORDER BY id DESC))[1] AS last,
  coalesce(array_agg(id ORDER BY id) FILTER (WHERE CASE
    WHEN state IN ('EXPIRED', 'CANCELLED', 'REFUNDED') THEN number > 0
    WHEN state = 'BOOKED' THEN minor <> total_minor OR held > 0
    ELSE minor <> total_minor OR expires_at < $3
  END), '{}') AS suspects,
  coalesce(array_agg(id ORDER BY id) FILTER (
    WHERE state = 'BOOKED' AND total_minor > 0 AND intent_id IS NULL
  ), '{}') AS without_payment
FROM summed
"""


async def examine_page(source: Source, after: UUID, most: int, before: datetime) -> OrderPage | None:
    """The next page of orders by id, with those that may not match their claims; None behind the last.

    An unpaid order whose deadline was before `before` is one of them.
    """
    row = await source.fetchrow(_PAGE, after, most, before)
    if row is None or row["last"] is None:
        return None
    return OrderPage(row["last"], row["number"], tuple(row["suspects"]), tuple(row["without_payment"]))


async def estimated_orders(source: Source) -> int:
    """About how many orders there are, for the progress."""
    number = "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'orders'::regclass"
    return int(await source.fetchval(number))


def is_inconsistent(order: OrderStanding, before: datetime) -> bool:
    """Whether an order's claims do not match its state, or its deadline was before `before`."""
    if order.state in UNPAID_STATES:
        return order.live_minor != order.total_minor or order.expires_at < before
    if order.state == OrderState.BOOKED:
        return order.live_minor != order.total_minor - order.tickets_minor or bool(order.held_places)
    return bool(order.live_places)


def _standing(row: Any) -> OrderStanding:
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
    }
    return OrderStanding(**fields)


async def restore_claims(source: Source, order_id: UUID, places: Sequence[int], state: str) -> int:
    """Set an order's ended claims on these places to `state`; returns how many.

    Only this revives an ended claim: no decision had ended it.

    Raises:
        PlaceTaken: another live claim has one of them by now.
    """
    with violations_by_constraint():
        rows = await source.fetch(
            """
            UPDATE claims SET state = $3
            WHERE order_id = $1 AND place = ANY ($2) AND state = 'ENDED' RETURNING place
            """,
            order_id,
            list(places),
            state,
        )
    return len(rows)


@dataclass(frozen=True, slots=True)
class StuckTask:
    """An outbox task that is overdue."""

    id: int
    topic: str
    key: str
    attempts: int
    last_error: str | None
    created_at: datetime


async def stuck_tasks(source: Source, before: datetime) -> list[StuckTask]:
    """The outbox tasks written before `before`, oldest first; not the refunds that wait for their turn."""
    rows = await source.fetch(
        """
        SELECT id, topic, key, attempts, last_error, created_at
        FROM outbox WHERE created_at < $1 AND (topic <> $2 OR attempts > 0 OR available_at < $1)
        ORDER BY id
        """,
        before,
        Topic.SEND_REFUND,
    )
    return [StuckTask(**row) for row in rows]


async def make_due(source: Source, task_id: int, now: datetime) -> None:
    """Make an outbox task due now."""
    await source.fetch("UPDATE outbox SET available_at = $2 WHERE id = $1", task_id, now)


@dataclass(frozen=True, slots=True)
class OpenRefund:
    """A refund that is not sent: no task will send it, or it has bounced too often, or Stripe refuses it."""

    id: UUID
    order_id: UUID
    amount_minor: int
    currency: str
    state: str


async def open_refunds(source: Source) -> list[OpenRefund]:
    """Refunds that have failed for good, and decided ones without a task that no dispute blocks."""
    rows = await source.fetch(
        """
        SELECT refunds.id, payments.order_id, refunds.amount_minor, payments.currency, refunds.state
        FROM refunds JOIN payments ON payments.id = refunds.payment_id
        WHERE refunds.state <> 'SENT'
          AND (refunds.state = 'FAILED' AND NOT by_hand OR refunds.state = 'DECIDED' AND NOT EXISTS (
          SELECT FROM outbox
          WHERE outbox.key = payments.order_id::text AND outbox.payload ->> 'refund_id' = refunds.id::text
        ) AND NOT EXISTS (
          SELECT FROM disputes
          WHERE disputes.payment_id = payments.id AND disputes.state = 'OPEN' AND NOT refundable
        ))
        ORDER BY refunds.id
        """
    )
    return [OpenRefund(**row) for row in rows]
