"""Removes, in batches, what was stored long enough. Each function returns how many rows it changed.

An event is over when its end, or its start where no end is known, has passed. A statement looks at a batch of
rows and at one row of each event, however large the tables are: the events are stepped through in their
index, and the rows are changed where they were found (ctid), which no join can turn into a scan.
"""

from datetime import datetime
from uuid import UUID

from db.session import Database

BATCH = 500
"""Rows of one statement, so that no lock and no transaction lasts."""
_OVER = "coalesce(events.ends_at, events.starts_at) < $1"
_NEVER_SOLD = "state = 'ENDED' AND refund_id IS NULL"
_SETTLED = "network IS NOT NULL AND orders.state NOT IN ('RESERVED', 'PAYING')"


def _events_over(table: str, condition: str) -> str:
    """A recursive WITH of the events that have rows in a table and are over: `past (id)`."""
    next_event = f"SELECT event_id FROM {table} WHERE {condition} AND event_id > stepped.event_id"
    return (
        "WITH RECURSIVE stepped AS ("
        f" (SELECT event_id FROM {table} WHERE {condition} ORDER BY event_id LIMIT 1)"
        f" UNION ALL SELECT ({next_event} ORDER BY event_id LIMIT 1) FROM stepped WHERE event_id IS NOT NULL"
        f"), past AS (SELECT id FROM stepped JOIN events ON id = event_id WHERE {_OVER})"
    )


WEBHOOK_IDS = (
    "WITH old AS (DELETE FROM stripe_events WHERE ctid = ANY (ARRAY("
    " SELECT ctid FROM stripe_events WHERE received_at < $1 ORDER BY received_at LIMIT $2)) RETURNING 1)"
    " SELECT count(*) FROM old"
)
QUEUE_ENTRIES = (
    f"{_events_over('queue_entries', 'true')}, old AS (DELETE FROM queue_entries WHERE ctid = ANY (ARRAY("
    " SELECT found.ctid FROM past CROSS JOIN LATERAL"
    "  (SELECT ctid FROM queue_entries WHERE event_id = past.id ORDER BY user_id LIMIT $2) AS found"
    " LIMIT $2)) RETURNING 1) SELECT count(*) FROM old"
)
NETWORKS = (
    f"{_events_over('orders', _SETTLED)}, old AS (UPDATE orders SET network = NULL WHERE ctid = ANY (ARRAY("
    " SELECT found.ctid FROM past CROSS JOIN LATERAL"
    f"  (SELECT ctid FROM orders WHERE event_id = past.id AND {_SETTLED} LIMIT $2) AS found"
    " LIMIT $2)) RETURNING 1) SELECT count(*) FROM old"
)
# An ended claim without a refund is of a hold that lapsed, of a place that was blocked, or of a free ticket:
# the latter belongs to an order that was booked, and stays. A subquery for each, as below.
CLAIMS = (
    f"{_events_over('claims', _NEVER_SOLD)}, old AS (DELETE FROM claims WHERE ctid = ANY (ARRAY("
    " SELECT found.ctid FROM past CROSS JOIN LATERAL"
    f"  (SELECT ctid FROM claims WHERE event_id = past.id AND {_NEVER_SOLD} AND coalesce("
    "   (SELECT orders.state IN ('EXPIRED', 'CANCELLED') FROM orders WHERE orders.id = order_id), true"
    "  ) LIMIT $2) AS found"
    " LIMIT $2)) RETURNING 1) SELECT count(*) FROM old"
)
# A subquery for each guest, where NOT EXISTS may become a join with all orders.
GUESTS = (
    "SELECT id FROM users WHERE guest AND created_at < $1 AND"
    " (SELECT true FROM orders JOIN events ON events.id = event_id WHERE user_id = users.id"
    f"  AND (orders.state IN ('RESERVED', 'PAYING') OR NOT {_OVER}) LIMIT 1) IS NULL"
    " ORDER BY created_at LIMIT $2"
)


async def remove_webhook_ids(database: Database, before: datetime) -> int:
    """Remove the ids of webhook events that were received earlier."""
    return await _changed(database, WEBHOOK_IDS, before)


async def remove_queue_entries(database: Database, before: datetime) -> int:
    """Remove the queue entries of events that were over earlier."""
    return await _changed(database, QUEUE_ENTRIES, before)


async def remove_networks(database: Database, before: datetime) -> int:
    """Remove the network of paid and ended orders of events that were over earlier."""
    return await _changed(database, NETWORKS, before)


async def remove_claims(database: Database, before: datetime) -> int:
    """Remove the claims without a sale of events that were over earlier."""
    return await _changed(database, CLAIMS, before)


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
    return [record["id"] for record in await database.fetch(GUESTS, before, BATCH)]


async def _changed(database: Database, statement: str, before: datetime) -> int:
    count: int = await database.fetchval(statement, before, BATCH)
    return count
