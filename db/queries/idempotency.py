"""Idempotency keys: which request used a key, and what it made."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.queries.orders import Source
from db.session import Connection
from domain.idempotency import KEPT, RequestKey


@dataclass(frozen=True, slots=True)
class UsedKey:
    """The request that used a key: the hash of its input, and the id of what it made or changed."""

    input_hash: str
    result_id: UUID


async def used_key(source: Source, request: RequestKey, now: datetime) -> UsedKey | None:
    """The earlier request with the same key; None once the key is free again."""
    row = await source.fetchrow(
        """
        SELECT input_hash, result_id FROM idempotency_keys
        WHERE user_id = $1 AND operation = $2 AND key = $3 AND created_at > $4
        """,
        request.user_id,
        request.operation,
        request.key,
        now - KEPT,
    )
    return UsedKey(*row) if row else None


async def take_key(
    connection: Connection, request: RequestKey, result_id: UUID, now: datetime
) -> UsedKey | None:
    """Take a key for the request of this transaction; the earlier request where it is taken.

    Waits for a transaction that is taking the same key. A rollback gives the key back.
    """
    taken = await connection.fetchval(
        """
        INSERT INTO idempotency_keys AS earlier (user_id, operation, key, input_hash, result_id, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (user_id, operation, key) DO UPDATE
          SET input_hash = excluded.input_hash, result_id = excluded.result_id,
            created_at = excluded.created_at
          WHERE earlier.created_at <= $7
        RETURNING true
        """,
        request.user_id,
        request.operation,
        request.key,
        request.input_hash,
        result_id,
        now,
        now - KEPT,
    )
    return None if taken else await used_key(connection, request, now)
