"""Disputes of payments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.queries.columns import columns_of
from db.queries.orders import Source
from db.session import Connection


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """A dispute; the id is the gateway's, `refundable` whether the gateway still refunds the payment."""

    id: str
    payment_id: UUID
    amount_minor: int
    currency: str
    reason: str
    state: str
    refundable: bool
    respond_by: datetime | None
    created_at: datetime


_DISPUTE = columns_of(DisputeRow)


async def disputes_of_payment(source: Source, payment_id: UUID) -> list[DisputeRow]:
    """A payment's disputes, oldest first."""
    rows = await source.fetch(
        f"SELECT {_DISPUTE} FROM disputes WHERE payment_id = $1 ORDER BY created_at, id", payment_id
    )
    return [DisputeRow(**row) for row in rows]


async def disputes_of_orders(source: Source, order_ids: Sequence[UUID]) -> list[tuple[UUID, DisputeRow]]:
    """The disputes of many orders' payments, each with its order, newest first."""
    rows = await source.fetch(
        f"""
        SELECT order_id, {columns_of(DisputeRow, "disputes")} FROM disputes
        JOIN payments ON payments.id = payment_id
        WHERE order_id = ANY ($1) ORDER BY disputes.created_at DESC, disputes.id
        """,
        list(order_ids),
    )
    return [(row[0], DisputeRow(*row[1:])) for row in rows]


async def write_dispute(connection: Connection, dispute: DisputeRow, read_at: datetime) -> bool:
    """Record a dispute as it was read, unless a later reading is recorded; whether its state is new."""
    before = await connection.fetchrow(
        "SELECT state, read_at FROM disputes WHERE id = $1 FOR UPDATE", dispute.id
    )
    if before is not None and before["read_at"] > read_at:
        return False
    await connection.execute(
        f"""
        INSERT INTO disputes ({_DISPUTE}, read_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (id) DO UPDATE SET amount_minor = $3, state = $6, refundable = $7, respond_by = $8,
          read_at = $10
        """,
        dispute.id,
        dispute.payment_id,
        dispute.amount_minor,
        dispute.currency,
        dispute.reason,
        dispute.state,
        dispute.refundable,
        dispute.respond_by,
        dispute.created_at,
        read_at,
    )
    return before is None or before["state"] != dispute.state
