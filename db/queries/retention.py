"""Removes, in batches, what was stored long enough. Each function returns how many rows it changed.

An event is over when its end, or its start where no end is known, has passed.
"""

from datetime import datetime
from uuid import UUID

from db.session import Database

BATCH = 500
"""Rows of one statement, so that no lock and no transaction lasts."""
_OVER = "coalesce(events.ends_at, events.starts_at) < $1"


async def remove_webhook_ids(database: Database, before: datetime) -> int:
    """Remove the ids of webhook events that were received earlier."""
    return await _changed(
        database,
        "WITH old AS (DELETE FROM stripe_events WHERE event_id IN"
        " (SELECT event_id FROM stripe_events WHERE received_at < $1 LIMIT $2) RETURNING 1)"
        " SELECT count(*) FROM old",
        before,
    )


async def remove_queue_entries(database: Database, before: datetime) -> int:
    """Remove the queue entries of events that were over earlier."""
    return await _changed(
        database,
        "WITH old AS (DELETE FROM queue_entries WHERE (event_id, user_id) IN"
        " (SELECT event_id, user_id FROM queue_entries JOIN events ON events.id = event_id"
        f"  WHERE {_OVER} LIMIT $2) RETURNING 1)"
        " SELECT count(*) FROM old",
        before,
    )


async def remove_networks(database: Database, before: datetime) -> int:
    """Remove the network of paid and ended orders of events that were over earlier."""
    return await _changed(
        database,
        "WITH old AS (UPDATE orders SET network = NULL WHERE id IN"
        " (SELECT orders.id FROM orders JOIN events ON events.id = event_id"
        f"  WHERE network IS NOT NULL AND orders.state NOT IN ('RESERVED', 'PAYING') AND {_OVER} LIMIT $2)"
        " RETURNING 1) SELECT count(*) FROM old",
        before,
    )


async def remove_idempotency_keys(database: Database, before: datetime) -> int:
    """Remove the idempotency keys that were used earlier."""
    return await _changed(
        database,
        "WITH old AS (DELETE FROM idempotency_keys WHERE (user_id, operation, key) IN"
        " (SELECT user_id, operation, key FROM idempotency_keys WHERE created_at < $1 LIMIT $2) RETURNING 1)"
        " SELECT count(*) FROM old",
        before,
    )


async def guests_of_past_events(database: Database, before: datetime) -> list[UUID]:
    """Guests whose events were all over earlier and whose orders are all settled, at most a batch."""
    records = await database.fetch(
        "SELECT id FROM users WHERE guest AND created_at < $1 AND NOT EXISTS"
        " (SELECT FROM orders JOIN events ON events.id = event_id WHERE user_id = users.id"
        f"  AND (orders.state IN ('RESERVED', 'PAYING') OR NOT {_OVER}))"
        " ORDER BY created_at LIMIT $2",
        before,
        BATCH,
    )
    return [record["id"] for record in records]


async def _changed(database: Database, statement: str, before: datetime) -> int:
    count: int = await database.fetchval(statement, before, BATCH)
    return count
