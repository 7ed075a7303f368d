"""The end of a connection and of a transaction, where something else fails on the way."""

import asyncio

import asyncpg
import pytest

from db.session import DATABASE_AWAY, Database


@pytest.fixture
async def database(postgres_url: str):  # type: ignore[no-untyped-def]
    database = Database(postgres_url, most=1)
    yield database
    await database.close()


async def test_a_cancellation_stays_one_when_the_rollback_fails(database: Database) -> None:
    """A statement that another task runs on the session makes the rollback an InterfaceError."""
    begun, other = asyncio.Event(), set[asyncio.Task[object]]()

    async def work() -> None:
        async with database.transaction() as connection:
            other.add(asyncio.create_task(connection.fetchval("SELECT pg_sleep(1)")))
            await asyncio.sleep(0.1)
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    await asyncio.wait([task], timeout=5)
    await asyncio.gather(*other, return_exceptions=True)

    assert task.cancelled()
    assert await database.fetchval("SELECT 1") == 1


async def test_an_error_stays_itself_when_the_connection_is_lost_meanwhile(database: Database) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        async with database.transaction() as connection:
            try:
                await connection.execute("SELECT * FROM no_such_table")
            finally:
                connection.terminate()

    assert await database.fetchval("SELECT 1") == 1


async def test_the_next_try_succeeds_when_a_migration_widened_a_column_meanwhile(
    database: Database, postgres_url: str
) -> None:
    asked = "SELECT amount FROM migrated_table"
    await database.fetch("CREATE TABLE migrated_table AS SELECT 5 AS amount")
    assert await database.fetchval(asked) == 5
    migration = await asyncpg.connect(postgres_url)
    await migration.execute("ALTER TABLE migrated_table ALTER COLUMN amount TYPE bigint")
    await migration.close()

    with pytest.raises(DATABASE_AWAY):
        async with database.transaction() as connection:
            await connection.fetchval(asked)
    async with database.transaction() as connection:
        assert await connection.fetchval(asked) == 5
