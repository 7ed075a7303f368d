"""Attempts to pay an order with a card: what the limits of declines count."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.queries.orders import Source
from db.session import Connection
from db.sql import statement
from domain.states import CardAttemptState


@dataclass(frozen=True, slots=True)
class Declines:
    """The decline that has to age before another card may be tried, by limit; None where none has to."""

    of_order: datetime | None
    of_person: datetime | None
    of_network: datetime | None


async def lock_payer(connection: Connection, order_id: UUID) -> None:
    """Let one attempt of a person at a time be counted, until the transaction ends."""
    await connection.fetch(
        """
        SELECT pg_advisory_xact_lock(hashtextextended('card ' || person_key, 0)) FROM orders
        WHERE id = $1 AND person_key IS NOT NULL
        """,
        order_id,
    )


async def declines(
    connection: Connection,
    order_id: UUID,
    attempt: str,
    network: str | None,
    *,
    since: datetime,
    running_since: datetime,
    most_of_order: int,
    most: int,
) -> Declines:
    """Look up the declines that limit an order; see db/sql/limit_of_declines.sql."""
    row = await connection.fetchrow(
        statement("limit_of_declines"),
        order_id,
        attempt,
        network,
        since,
        running_since,
        most_of_order,
        most,
    )
    return Declines(**row) if row else Declines(None, None, None)


async def write_attempt(
    connection: Connection,
    order_id: UUID,
    attempt: str,
    network: str | None,
    state: CardAttemptState,
    now: datetime,
) -> None:
    """Record an attempt once; from the network of the order's latest attempt or hold where none is given."""
    await connection.execute(
        """
        INSERT INTO card_attempts (order_id, attempt, person_key, network, state, at)
        SELECT $1, $2, person_key, coalesce(
            $3,
            (SELECT network FROM card_attempts WHERE order_id = $1 ORDER BY at DESC LIMIT 1),
            network
          ), $4, $5
        FROM orders WHERE id = $1
        ON CONFLICT (order_id, attempt) DO UPDATE SET at = excluded.at
        WHERE card_attempts.state = 'PENDING' AND excluded.state = 'PENDING'
        """,
        order_id,
        attempt,
        network,
        state,
        now,
    )


async def end_attempt(source: Source, order_id: UUID, attempt: str) -> str | None:
    """Forget an attempt whose outcome is known; returns the network it came from."""
    network: str | None = await source.fetchval(
        """
        DELETE FROM card_attempts WHERE order_id = $1 AND attempt = $2 AND state = 'PENDING' RETURNING network
        """,
        order_id,
        attempt,
    )
    return network


async def forget_attempts(source: Source, before: datetime, most: int) -> int:
    """Delete the attempts before `before`, `most` at most; returns how many."""
    rows = await source.fetch(
        """
        DELETE FROM card_attempts WHERE id IN (
          SELECT id FROM card_attempts WHERE at < $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        RETURNING id
        """,
        before,
        most,
    )
    return len(rows)
