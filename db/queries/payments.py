"""Payments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from db.queries.columns import columns_of
from db.queries.orders import OrderRow, Source
from db.session import Connection
from db.sql import statement


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """An order's payment; `intent_id` is the gateway's."""

    id: UUID
    order_id: UUID
    intent_id: str | None
    state: str
    amount_minor: int
    currency: str
    captured_minor: int
    refunded_minor: int
    failure_code: str | None
    attempts: int
    idempotency_key: str | None


FIRST_CHECK = timedelta(seconds=5)
"""The gateway is asked about a payment this long after it began or changed"""
FIRST_REFUND_CHECK = timedelta(minutes=10)
"""And this long after money went back"""

_PAYMENT = columns_of(PaymentRow)


async def payment_of_order(source: Source, order_id: UUID) -> PaymentRow | None:
    """An order's payment."""
    row = await source.fetchrow(f"SELECT {_PAYMENT} FROM payments WHERE order_id = $1", order_id)
    return PaymentRow(**row) if row else None


async def payments_of_orders(source: Source, order_ids: Sequence[UUID]) -> list[PaymentRow]:
    """The payments of many orders, where there are any."""
    rows = await source.fetch(f"SELECT {_PAYMENT} FROM payments WHERE order_id = ANY ($1)", list(order_ids))
    return [PaymentRow(**row) for row in rows]


async def payment_by_intent(source: Source, intent_id: str) -> PaymentRow | None:
    """The payment of a gateway's intent."""
    row = await source.fetchrow(f"SELECT {_PAYMENT} FROM payments WHERE intent_id = $1", intent_id)
    return PaymentRow(**row) if row else None


async def known_intents(source: Source, intent_ids: Sequence[str]) -> set[str]:
    """Which of these intents belong to a payment."""
    rows = await source.fetch("SELECT intent_id FROM payments WHERE intent_id = ANY ($1)", list(intent_ids))
    return {row["intent_id"] for row in rows}


async def start_payment(connection: Connection, payment_id: UUID, order: OrderRow, now: datetime) -> None:
    """Insert an order's payment, once."""
    await connection.execute(
        """
        INSERT INTO payments (id, order_id, state, amount_minor, currency, created_at, updated_at, check_at)
        VALUES ($1, $2, 'REQUIRES_ACTION', $3, $4, $5, $5, $6)
        ON CONFLICT (order_id) DO NOTHING
        """,
        payment_id,
        order.id,
        order.total_minor,
        order.currency,
        now,
        now + FIRST_CHECK,
    )


async def set_intent(source: Source, order_id: UUID, intent_id: str) -> None:
    """Store the intent of an order's payment; the first one stays."""
    await source.fetch(
        "UPDATE payments SET intent_id = $2 WHERE order_id = $1 AND intent_id IS NULL", order_id, intent_id
    )


async def count_attempt(source: Source, order_id: UUID, idempotency_key: str | None) -> int:
    """Count the next attempt with a card, from 1, and store its idempotency key."""
    return int(
        await source.fetchval(
            """
            UPDATE payments SET attempts = attempts + 1, idempotency_key = $2, input_hash = NULL
            WHERE order_id = $1 RETURNING attempts
            """,
            order_id,
            idempotency_key,
        )
    )


async def set_payment_state(
    source: Source,
    order_id: UUID,
    state: str,
    *,
    leaving: Sequence[str],
    now: datetime,
    failure_code: str | None = None,
    captured_minor: int | None = None,
) -> bool:
    """Set a payment's state where it is in one of the states `leaving`; returns whether it was."""
    return bool(
        await source.fetchval(
            """
            UPDATE payments SET state = $2, updated_at = $4, failure_code = $5, checks = 0,
              check_at = $7, captured_minor = coalesce($6, captured_minor)
            WHERE order_id = $1 AND state = ANY ($3) RETURNING true
            """,
            order_id,
            state,
            list(leaving),
            now,
            failure_code,
            captured_minor,
            now + FIRST_CHECK,
        )
    )


async def give_up_payment(connection: Connection, order_id: UUID, now: datetime) -> None:
    """Mark a payment without an authorisation as cancelled; its failure code stays."""
    await connection.execute(
        """
        UPDATE payments SET state = 'CANCELLED', updated_at = $2
        WHERE order_id = $1 AND state IN ('REQUIRES_ACTION', 'PROCESSING', 'FAILED')
        """,
        order_id,
        now,
    )


async def claim_payment_checks(
    source: Source, now: datetime, most: int, pauses_seconds: Sequence[float]
) -> list[UUID]:
    """Take the orders whose payment is due to be looked at; see db/sql/claim_payment_checks.sql."""
    rows = await source.fetch(statement("claim_payment_checks"), now, most, list(pauses_seconds))
    return [row["order_id"] for row in rows]


async def touch_payment(source: Source, order_id: UUID, now: datetime) -> None:
    """Note that a payment was looked at."""
    await source.fetch("UPDATE payments SET updated_at = $2 WHERE order_id = $1", order_id, now)


async def claim_refund_checks(
    source: Source, now: datetime, most: int, pauses_seconds: Sequence[float]
) -> list[UUID]:
    """Take the orders whose refund is due to be looked at; see db/sql/claim_refund_checks.sql."""
    rows = await source.fetch(statement("claim_refund_checks"), now, most, list(pauses_seconds))
    return [row["order_id"] for row in rows]
