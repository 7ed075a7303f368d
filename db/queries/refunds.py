"""Refunds: decided by us and sent by the outbox, or made at the gateway by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from db.queries.columns import columns_of
from db.queries.orders import Source
from db.queries.payments import FIRST_REFUND_CHECK
from db.session import Connection
from db.sql import statement
from domain.outbox import Topic
from domain.states import RefundState


@dataclass(frozen=True, slots=True)
class RefundRow:
    """A refund, in minor units.

    `tickets_minor` is the price of the tickets that it ended; None where that is its amount.
    """

    id: UUID
    payment_id: UUID
    amount_minor: int
    reason: str | None
    state: str
    gateway_id: str | None
    by_hand: bool = False
    tickets_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRefundRow(RefundRow):
    """A refund with its order."""

    created_at: datetime
    order_id: UUID


_REFUND = columns_of(RefundRow)
_PACE_LOCK = 0x0B0F_4EF0  # any number that no other advisory lock has


async def write_refund(connection: Connection, refund: RefundRow, now: datetime) -> bool:
    """Record a decided refund, or one that was made by hand; False where its gateway id is known."""
    tag = await connection.execute(
        f"""
        INSERT INTO refunds ({_REFUND}, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
        ON CONFLICT DO NOTHING
        """,
        refund.id,
        refund.payment_id,
        refund.amount_minor,
        refund.reason,
        refund.state,
        refund.gateway_id,
        refund.by_hand,
        refund.tickets_minor,
        now,
    )
    return bool(tag == "INSERT 0 1")


async def refund_by_id(source: Source, refund_id: UUID) -> RefundRow | None:
    """One refund."""
    row = await source.fetchrow(f"SELECT {_REFUND} FROM refunds WHERE id = $1", refund_id)
    return RefundRow(**row) if row else None


async def refunds_of_payment(source: Source, payment_id: UUID) -> list[RefundRow]:
    """A payment's refunds, oldest first."""
    rows = await source.fetch(
        f"SELECT {_REFUND} FROM refunds WHERE payment_id = $1 ORDER BY created_at, id", payment_id
    )
    return [RefundRow(**row) for row in rows]


async def refunds_of_orders(source: Source, order_ids: Sequence[UUID]) -> list[OrderRefundRow]:
    """The refunds of many orders, oldest first."""
    rows = await source.fetch(
        f"""
        SELECT {columns_of(RefundRow, "refunds")}, refunds.created_at, payments.order_id
        FROM refunds JOIN payments ON payments.id = refunds.payment_id
        WHERE payments.order_id = ANY ($1) ORDER BY refunds.created_at, refunds.id
        """,
        list(order_ids),
    )
    return [OrderRefundRow(**row) for row in rows]


async def finish_refund(
    connection: Connection, refund: RefundRow, gateway_id: str | None, amount_minor: int, now: datetime
) -> bool:
    """Mark a decided refund as sent, with what was sent, and count it once; whether this call counted it.

    One that was finished with nothing to send is finished again where the gateway has it after all.
    """
    sent = await connection.fetchval(
        """
        UPDATE refunds SET state = 'SENT', gateway_id = $2, amount_minor = $3, updated_at = $4,
          tickets_minor = coalesce(tickets_minor, amount_minor)
        WHERE id = $1 AND (state = 'DECIDED' OR state = 'SENT' AND gateway_id IS NULL AND amount_minor = 0)
        RETURNING true
        """,
        refund.id,
        gateway_id,
        amount_minor,
        now,
    )
    if sent:
        await count_refunded(connection, refund.payment_id, amount_minor, now)
    return bool(sent)


async def fail_refund(connection: Connection, refund: RefundRow, now: datetime) -> bool:
    """Mark a refund that is not going to arrive; returns whether it was another state.

    The money of one that was sent is the gateway's again.
    """
    before = await connection.fetchval(
        """
        WITH before AS (SELECT id, state FROM refunds WHERE id = $1 FOR UPDATE)
        UPDATE refunds SET state = 'FAILED', updated_at = $2
        FROM before WHERE refunds.id = before.id AND before.state <> 'FAILED' RETURNING before.state
        """,
        refund.id,
        now,
    )
    if before == RefundState.SENT:
        await count_refunded(connection, refund.payment_id, -refund.amount_minor, now)
    return before is not None


async def lower_refund(connection: Connection, refund_id: UUID, amount_minor: int, now: datetime) -> None:
    """Lower the amount of a decided refund; the price of its tickets stays."""
    await connection.execute(
        """
        UPDATE refunds SET amount_minor = $2, updated_at = $3,
          tickets_minor = coalesce(tickets_minor, amount_minor)
        WHERE id = $1 AND state = 'DECIDED'
        """,
        refund_id,
        amount_minor,
        now,
    )


async def reopen_bounced_refund(
    connection: Connection, refund: RefundRow, most_bounces: int, now: datetime
) -> bool:
    """Reopen a sent refund whose money has come back to the gateway.

    Returns whether to send it again: after more than `most_bounces` bounces it is FAILED, and a person has to
    look at it.
    """
    state = await connection.fetchval(
        """
        UPDATE refunds
        SET bounces = bounces + 1, updated_at = $3,
          state = CASE WHEN bounces < $2 THEN 'DECIDED' ELSE 'FAILED' END
        WHERE id = $1 AND state = 'SENT' RETURNING state
        """,
        refund.id,
        most_bounces,
        now,
    )
    await count_refunded(connection, refund.payment_id, -refund.amount_minor, now)
    return bool(state == RefundState.DECIDED)


async def record_tickets(connection: Connection, refund_id: UUID, order_id: UUID) -> None:
    """Record that a refund ends every ticket that its order still has."""
    await connection.execute(
        """
        UPDATE refunds SET tickets_minor = (
          SELECT coalesce(sum(price_minor + fee_minor), 0) FROM claims
          WHERE order_id = $2 AND state <> 'ENDED'
        )
        WHERE id = $1
        """,
        refund_id,
        order_id,
    )


async def count_refunded(connection: Connection, payment_id: UUID, minor: int, now: datetime) -> None:
    """Add to what was refunded of a payment; less than 0 where the gateway has it again.

    Money that went back is looked at again: the bank may return it.
    """
    await connection.execute(
        """
        UPDATE payments SET refunded_minor = refunded_minor + $2, updated_at = $3,
          state = CASE
            WHEN captured_minor > 0 AND refunded_minor + $2 >= captured_minor THEN 'REFUNDED'
            WHEN state = 'REFUNDED' THEN 'CAPTURED'
            ELSE state END,
          refund_checks = CASE WHEN $2 > 0 THEN 0 ELSE refund_checks END,
          refund_check_at = CASE WHEN $2 > 0 THEN $4 ELSE refund_check_at END
        WHERE id = $1
        """,
        payment_id,
        minor,
        now,
        now + FIRST_REFUND_CHECK,
    )


async def refund_whole_orders(
    connection: Connection, orders: Mapping[UUID, UUID], reason: str, now: datetime, pause: timedelta
) -> set[UUID]:
    """End booked orders with a refund of all they paid, those that never had one; returns which.

    `orders` are the ids of their refunds by order, and the caller has locked them. The refunds are sent with
    a pause after each, behind the ones that wait already. See db/sql/refund_orders.sql.
    """
    # Two events that are cancelled at once share the pace.
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _PACE_LOCK)
    last = await connection.fetchval(
        "SELECT max(available_at) FROM outbox WHERE topic = $1 AND available_at > $2", Topic.SEND_REFUND, now
    )
    first = now if last is None else last + pause
    rows = await connection.fetch(
        statement("refund_orders"),
        list(orders),
        list(orders.values()),
        reason,
        now,
        first,
        pause.total_seconds(),
        Topic.SEND_REFUND,
    )
    return {row["id"] for row in rows}


async def read_backlog(source: Source) -> tuple[int, datetime | None]:
    """The number of refunds that wait to be sent, up to 100,000, and when the last of them is due."""
    row = await source.fetchrow(
        """
        SELECT count(*)::int AS waiting, max(available_at) AS last
        FROM (SELECT available_at FROM outbox WHERE topic = $1 LIMIT 100000) AS waiting
        """,
        Topic.SEND_REFUND,
    )
    return (0, None) if row is None else (row["waiting"], row["last"])
