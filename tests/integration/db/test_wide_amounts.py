"""The migration to amounts of 64 bits, on a database with data and while it is in use."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from db.migrate import migrate
from db.queries.orders import place_orders
from db.session import Database
from tests.events import open_event
from tests.orders import order_over

_BEFORE = "0016"
_AMOUNTS = """
SELECT orders.total_minor, orders.subtotal_minor, orders.fees_minor, claims.price_minor, claims.fee_minor,
  payments.amount_minor, payments.captured_minor, payments.refunded_minor,
  refunds.amount_minor AS refund_minor
FROM orders JOIN claims ON claims.order_id = orders.id JOIN payments ON payments.order_id = orders.id
JOIN refunds ON refunds.payment_id = payments.id
"""


@pytest.fixture
async def narrow(empty_postgres_url: str) -> AsyncIterator[Database]:
    """A database of the revision before."""
    await migrate(empty_postgres_url, _BEFORE)
    database = Database(empty_postgres_url)
    yield database
    await database.close()


async def _refunded_order(database: Database) -> UUID:
    event_id = await open_event(database, rows=[4])
    order = order_over(event_id, [0])
    await place_orders(database, [order])
    await database.fetch("UPDATE orders SET total_minor = 11, subtotal_minor = 7, fees_minor = 4")
    await database.fetch("UPDATE claims SET price_minor = 7, fee_minor = 4")
    await database.fetch(
        """
        WITH payment AS (
          INSERT INTO payments (id, order_id, state, amount_minor, captured_minor, currency)
          VALUES (gen_random_uuid(), $1, 'CAPTURED', 11, 10, 'USD') RETURNING id
        )
        INSERT INTO refunds (id, payment_id, amount_minor, state)
        SELECT gen_random_uuid(), id, 3, 'SENT' FROM payment
        """,
        order.row.id,
    )
    return order.row.id


async def test_amounts_stay_and_get_room_when_a_database_with_orders_moves_forward(
    narrow: Database, empty_postgres_url: str
) -> None:
    order_id = await _refunded_order(narrow)
    before = await narrow.fetchrow(_AMOUNTS)

    await migrate(empty_postgres_url)

    assert (
        tuple(await narrow.fetchrow(_AMOUNTS) or ()) == tuple(before or ()) == (11, 7, 4, 7, 4, 11, 10, 0, 3)
    )
    columns = await narrow.fetch(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
        " AND data_type = 'integer' AND (column_name LIKE '%\\_minor' OR column_name LIKE 'price%')"
    )
    assert [tuple(row) for row in columns] == [("claims", "price_level")]
    await narrow.fetch("UPDATE orders SET total_minor = 999999999999 WHERE id = $1", order_id)
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'events_by_price'::regclass"
    assert await narrow.fetchval(valid) is True
    assert await narrow.fetchval("SELECT count(*) FROM pg_trigger WHERE tgname LIKE '%\\_64'") == 0


async def test_an_interrupted_migration_ends_when_it_runs_again(
    narrow: Database, empty_postgres_url: str
) -> None:
    await _refunded_order(narrow)
    await migrate(empty_postgres_url)
    await narrow.fetch("UPDATE alembic_version SET version_num = $1", _BEFORE)
    for table, column in (("refunds", "amount_minor"), ("claims", "price_minor"), ("claims", "fee_minor")):
        await narrow.fetch(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE int")
    await narrow.fetch("ALTER TABLE claims ADD COLUMN price_minor_64 bigint")

    await migrate(empty_postgres_url)

    assert tuple(await narrow.fetchrow(_AMOUNTS) or ()) == (11, 7, 4, 7, 4, 11, 10, 0, 3)


async def test_an_events_prices_include_its_fees_when_a_database_with_events_moves_forward(
    narrow: Database, empty_postgres_url: str
) -> None:
    event_id = await open_event(narrow, rows=[2], standing=3)
    levels = [(0, "Stalls", 1_000, 200), (1, "Floor", 900, 500), (2, "Without a seat", 100, 0)]
    for number, name, price, fee in levels:
        await narrow.fetch(
            "INSERT INTO price_levels (event_id, number, name, price_minor, fee_minor, currency)"
            " VALUES ($1, $2, $3, $4, $5, 'USD')",
            event_id,
            number,
            name,
            price,
            fee,
        )
    await narrow.fetch("UPDATE events SET price_from = 900, price_to = 1000")

    await migrate(empty_postgres_url)

    assert tuple(await narrow.fetchrow("SELECT price_from, price_to FROM events") or ()) == (1_200, 1_400)


async def test_the_sale_goes_on_when_amounts_are_widened_while_a_report_is_read(
    narrow: Database, empty_postgres_url: str
) -> None:
    await _refunded_order(narrow)
    clock, longest = asyncio.get_running_loop().time, 0.0
    async with narrow.transaction() as report:
        await report.fetch("SELECT count(*) FROM orders")
        migration = asyncio.create_task(migrate(empty_postgres_url))
        until = clock() + 4
        while clock() < until:
            began = clock()
            await narrow.fetch("UPDATE orders SET updated_at = now()")
            longest = max(longest, clock() - began)
            await asyncio.sleep(0.02)
        assert not migration.done(), "the report's lock keeps the exchange waiting"

    await asyncio.wait_for(migration, 30)

    assert longest < 2
