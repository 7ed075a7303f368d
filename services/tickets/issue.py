"""Issue: the tickets of an order become good with its booking."""

from datetime import datetime
from uuid import UUID

from db.queries.orders import book_claims
from db.session import Connection


async def issue_tickets(connection: Connection, order_id: UUID, now: datetime) -> int:
    """Issue the held tickets of an order, in the transaction that books it; return how many."""
    return await book_claims(connection, order_id, now)
