"""Migrations of large tables let sales go on: nobody who writes waits for one."""

import asyncio
import re
from pathlib import Path

import pytest

from db.migrate import migrate
from db.queries.orders import place_orders
from db.session import Database
from db.violations import UniqueViolation
from tests.events import open_event
from tests.orders import order_over

_VERSIONS = Path("db/migrations/versions")
_FIRST_CHECKED = "0019"
_LARGE = ("orders", "claims", "payments", "refunds", "users", "events", "outbox", "stripe_events")
_LONGEST_WAIT_SECONDS = 1.0
_FILL = """
INSERT INTO claims (event_id, place, state, price_minor, fee_minor)
SELECT gen_random_uuid(), place, 'ENDED', 0, 0 FROM generate_series(1, 200000) AS place;
INSERT INTO orders (
  id, reference, event_id, user_id, state, currency, subtotal_minor, fees_minor, total_minor, expires_at
)
SELECT gen_random_uuid(), 'R' || n, orders.event_id, orders.user_id, 'EXPIRED', 'USD', 0, 0, 0, now()
FROM orders, generate_series(1, 100000) AS n;
"""


async def _sell(database: Database, stop: asyncio.Event) -> tuple[int, float]:
    """Write orders until `stop` is set; returns how many, and the longest time that one took."""
    clock, orders, longest = asyncio.get_running_loop().time, 0, 0.0
    event_id = await open_event(database, rows=[5_000])
    while not stop.is_set():
        began = clock()
        await place_orders(database, [order_over(event_id, [orders])])
        orders, longest = orders + 1, max(longest, clock() - began)
        await asyncio.sleep(0.01)
    return orders, longest


async def test_sales_go_on_when_a_database_with_many_orders_is_migrated(empty_postgres_url: str) -> None:
    await migrate(empty_postgres_url, "0019")
    database, stop = Database(empty_postgres_url), asyncio.Event()
    await place_orders(database, [order_over(await open_event(database, rows=[1]), [0])])
    async with database.connection() as connection:
        await connection.execute("SET statement_timeout = 0")
        await connection.execute(_FILL, timeout=60)
    selling = asyncio.create_task(_sell(database, stop))
    # A report that reads while the migration runs: its locks must not stop the sale by way of the migration.
    async with database.transaction() as report:
        await report.fetch("SELECT count(*) FROM orders JOIN claims ON claims.order_id = orders.id")
        migration = asyncio.create_task(migrate(empty_postgres_url))
        await asyncio.sleep(1.0)

    await asyncio.wait_for(migration, 60)

    stop.set()
    orders, longest = await selling
    assert orders > 20
    assert longest < _LONGEST_WAIT_SECONDS
    invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
    assert await database.fetch(invalid) == []
    await database.close()


async def test_an_interrupted_index_is_built_again_when_the_migration_runs_again(
    empty_postgres_url: str,
) -> None:
    await migrate(empty_postgres_url, "0022")
    database = Database(empty_postgres_url)
    twice = (
        "INSERT INTO claims (event_id, place, state, price_minor, fee_minor)"
        " SELECT gen_random_uuid(), 1, 'ENDED', 0, 0 FROM generate_series(1, 2)"
    )
    await database.fetch(twice)
    with pytest.raises(UniqueViolation):  # which leaves an invalid index behind
        await database.fetch("CREATE UNIQUE INDEX CONCURRENTLY claims_live_next ON claims (place)")

    await migrate(empty_postgres_url)

    definition = await database.fetchval("SELECT pg_get_indexdef('claims_live'::regclass)")
    assert "UNIQUE" in definition and "(event_id, place) INCLUDE (state)" in definition
    assert await database.fetchval("SELECT to_regclass('claims_live_next')") is None
    await database.close()


def test_no_migration_locks_a_large_table_while_it_builds_an_index() -> None:
    """The rule for migrations from this version on; `db.migrations.steps` has the steps that keep it."""
    checked = [path for path in sorted(_VERSIONS.glob("*.py")) if path.stem[:4] > _FIRST_CHECKED]
    assert checked
    for path in checked:
        text = path.read_text()
        for table in _LARGE:
            assert not re.search(rf'op\.create_index\([^)]*"{table}"', text), path
            assert not re.search(rf"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY).* ON {table}\b", text), path
