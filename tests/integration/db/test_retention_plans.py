"""The removal of old data reads a batch of rows, not tables of a whole year."""

import re
from collections.abc import AsyncIterator

import pytest

from db.queries import retention
from db.session import Connection, Database
from kit.clock import utc_now

# A hundred events of 400 orders, a guest each; every second event is over.
_FILL = """
INSERT INTO venues (id, name, city, timezone)
VALUES ('00000000-0000-0000-0000-000000000001', 'Hall', 'Seoul', 'UTC');
INSERT INTO seat_maps (version, event_id, layout, seat_count, place_count)
SELECT 'v' || n, md5('event' || n)::uuid, '{}', 0, 0
FROM generate_series(1, 100) AS n;
INSERT INTO events (
  id, venue_id, seat_map_version, name, state, max_tickets_per_order, orphan_rule, starts_at
)
SELECT md5('event' || n)::uuid, '00000000-0000-0000-0000-000000000001', 'v' || n, 'Concert', 'PUBLISHED',
  10, false,
  now() + (CASE WHEN n % 2 = 0 THEN -1 ELSE 1 END) * interval '90 days'
FROM generate_series(1, 100) AS n;
INSERT INTO users (id, subject, guest, created_at)
SELECT md5('user' || n)::uuid, 'guest:' || n, true, now() - interval '90 days'
FROM generate_series(1, 40000) AS n;
INSERT INTO orders (
  id, reference, event_id, user_id, state, currency, subtotal_minor, fees_minor, total_minor, expires_at,
  network
)
SELECT md5('order' || n)::uuid, 'R' || n, md5('event' || (n % 100 + 1))::uuid, md5('user' || n)::uuid,
  'BOOKED', 'USD', 0, 0, 0, now(), '5.6.7.8'
FROM generate_series(1, 40000) AS n;
INSERT INTO queue_entries (event_id, user_id, state, place, sequence)
SELECT md5('event' || (n % 100 + 1))::uuid, md5('user' || n)::uuid, 'F', n, n
FROM generate_series(1, 40000) AS n;
INSERT INTO claims (event_id, place, order_id, state, price_minor, fee_minor)
SELECT event_id, row_number() OVER (PARTITION BY event_id), id, 'ENDED', 0, 0 FROM orders;
INSERT INTO stripe_events
SELECT 'evt_' || n, 'payment_intent.succeeded', now() - n * interval '1 hour'
FROM generate_series(1, 40000) AS n;
ANALYZE;
"""
STATEMENTS = ("WEBHOOK_IDS", "QUEUE_ENTRIES", "NETWORKS", "GUESTS", "CLAIMS")
LARGE = {"claims", "orders", "users", "queue_entries", "stripe_events"}


@pytest.fixture
async def filled(postgres_url: str) -> AsyncIterator[Connection]:
    """A connection to tables that are large enough for a scan to cost more than an index."""
    database = Database(postgres_url)
    try:
        async with database.connection() as connection:
            await connection.execute(_FILL, timeout=60)
            yield connection
    finally:
        await database.close()


async def scanned(connection: Connection, name: str, mode: str) -> set[str]:
    """The tables that a statement reads whole."""
    await connection.execute(f"SET plan_cache_mode = {mode}")
    plan = await connection.fetch(f"EXPLAIN {getattr(retention, name)}", utc_now(), retention.BATCH)
    return set(re.findall(r"Seq Scan on (\w+)", "\n".join(row[0] for row in plan)))


async def test_no_large_table_is_read_whole_when_old_rows_are_removed(filled: Connection) -> None:
    for mode in ("force_custom_plan", "force_generic_plan"):
        for name in STATEMENTS:
            assert not await scanned(filled, name, mode) & LARGE, f"{name}, {mode}"


async def test_control_tables_are_read_whole_when_the_indexes_are_gone(filled: Connection) -> None:
    await filled.execute("DROP INDEX stripe_events_by_age, users_guests_by_age")

    for name, table in (("WEBHOOK_IDS", "stripe_events"), ("GUESTS", "users")):
        assert table in await scanned(filled, name, "force_custom_plan")
