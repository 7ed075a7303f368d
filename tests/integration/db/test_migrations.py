"""The models are the source of the migrations: a migrated database must be what they say."""

import asyncio

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import db.models  # noqa: F401  (registers the tables)
from db.migrate import migrate
from db.queries.orders import claims_of_orders, order_by_id, place_orders
from db.session import Database
from tests.events import open_event
from tests.orders import order_over


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, SQLModel.metadata))


async def test_models_and_database_agree_when_all_migrations_ran(postgres_url: str) -> None:
    engine = create_async_engine(postgres_url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()

    assert found == []


async def test_every_process_succeeds_when_eight_migrate_at_once(empty_postgres_url: str) -> None:
    await asyncio.gather(*(migrate(empty_postgres_url) for _ in range(8)))

    database = Database(empty_postgres_url)
    assert await database.fetchval("SELECT count(*) FROM alembic_version") == 1
    await database.close()


async def test_rows_stay_when_a_database_with_data_moves_forward(empty_postgres_url: str) -> None:
    await migrate(empty_postgres_url, "0001")
    database = Database(empty_postgres_url)
    await database.fetch(
        """
        INSERT INTO venues (id, name, city, timezone)
        VALUES (gen_random_uuid(), 'Hall', 'Seoul', 'Asia/Seoul')
        """
    )

    await migrate(empty_postgres_url)

    assert await database.fetchval("SELECT name FROM venues") == "Hall"
    await database.close()


async def test_every_claim_has_a_ticket_of_its_own_when_a_database_with_claims_moves_forward(
    empty_postgres_url: str,
) -> None:
    await migrate(empty_postgres_url, "0009")
    database = Database(empty_postgres_url)
    await database.fetch(
        """
        INSERT INTO claims (event_id, place, state, price_minor, fee_minor)
        SELECT gen_random_uuid(), place, 'BLOCKED', 0, 0 FROM generate_series(1, 50000) AS place
        """
    )

    await migrate(empty_postgres_url)

    assert await database.fetchval("SELECT count(DISTINCT ticket_id) FROM claims") == 50_000
    assert await database.fetchval(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'claims_by_ticket'::regclass"
    )
    await database.close()


async def test_refunded_orders_keep_their_refund_when_a_database_with_orders_moves_forward(
    empty_postgres_url: str,
) -> None:
    await migrate(empty_postgres_url, "0010")
    database = Database(empty_postgres_url)
    event_id = await open_event(database, rows=[4])
    refunded, unpaid = order_over(event_id, [0, 1]), order_over(event_id, [2])
    await place_orders(database, [refunded, unpaid])
    await database.fetch("UPDATE orders SET state = 'REFUNDED' WHERE id = $1", refunded.row.id)
    await database.fetch("UPDATE claims SET state = 'ENDED' WHERE order_id = $1", refunded.row.id)
    refund_id = await database.fetchval(
        """
        WITH payment AS (
          INSERT INTO payments (id, order_id, state, amount_minor, currency)
          VALUES (gen_random_uuid(), $1, 'REFUNDED', 100, 'USD') RETURNING id
        )
        INSERT INTO refunds (id, payment_id, amount_minor, state)
        SELECT gen_random_uuid(), id, 100, 'SENT' FROM payment RETURNING id
        """,
        refunded.row.id,
    )

    await migrate(empty_postgres_url)

    ids = [refunded.row.id, unpaid.row.id]
    claims = await claims_of_orders(database, ids)
    assert {claim.place: claim.refund_id for claim in claims} == {0: refund_id, 1: refund_id, 2: None}
    orders = [await order_by_id(database, order_id) for order_id in ids]
    assert [(one.booked_at is None, one.channel) for one in orders if one] == [(False, "WEB"), (True, "WEB")]
    await database.close()


async def test_booked_tickets_are_issued_when_a_database_with_orders_moves_forward(
    empty_postgres_url: str,
) -> None:
    await migrate(empty_postgres_url, "0026")
    database = Database(empty_postgres_url)
    event_id = await open_event(database, rows=[4])
    booked, unpaid = order_over(event_id, [0, 1]), order_over(event_id, [2])
    await place_orders(database, [booked, unpaid])
    await database.fetch("UPDATE orders SET state = 'BOOKED', booked_at = now() WHERE id = $1", booked.row.id)
    await database.fetch("UPDATE claims SET state = 'BOOKED' WHERE order_id = $1", booked.row.id)

    await migrate(empty_postgres_url)

    rows = await database.fetch(
        """
        SELECT place, generation, issued_at = booked_at AS at_booking, void_version
        FROM claims JOIN orders ON orders.id = order_id ORDER BY place
        """
    )
    assert [tuple(row) for row in rows] == [(0, 1, True, None), (1, 1, True, None), (2, 1, None, None)]
    await database.close()
