"""Requests with an idempotency key: sent again, they find what they have made."""

from datetime import datetime
from uuid import UUID

from db.queries.idempotency import UsedKey, take_key, used_key
from db.session import Connection
from domain.errors import IdempotencyMismatch
from domain.idempotency import RequestKey
from services.context import ServiceContext, reading


async def earlier_result(context: ServiceContext, request: RequestKey | None) -> UUID | None:
    """Return the id of what a request with the same key has made before; None for a new request.

    Raises:
        IdempotencyMismatch: The key was used with another input.
        Unavailable: The database does not answer.
    """
    if request is None:
        return None
    return _same(request, await reading(used_key(context.database, request, context.now())))


async def record_request(
    connection: Connection, request: RequestKey | None, result_id: UUID, now: datetime
) -> UUID | None:
    """Record a request in the transaction that does it, before anything else is locked.

    Returns: What an earlier request with the same key has made, if any; then nothing may be done again.

    Raises:
        IdempotencyMismatch: The key was used with another input.
    """
    if request is None:
        return None
    return _same(request, await take_key(connection, request, result_id, now))


def _same(request: RequestKey, used: UsedKey | None) -> UUID | None:
    if used is None:
        return None
    if used.input_hash != request.input_hash:
        raise IdempotencyMismatch
    return used.result_id
