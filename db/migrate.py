"""Migration of a database to the schema of this version."""

import asyncio
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from db.session import TIME_LIMITS

# Any constant serves; processes that migrate at the same time wait for this one session lock. It needs a
# session of its own, without a pooler; the server notices within 15 s that the machine of a session is gone.
_MIGRATION_LOCK = 0x0B0F_F1CE
_KEEP_ALIVE = {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "2"}
# The role's own limits are for the sale; a migration sets those that it needs.
_UNLIMITED = dict.fromkeys(("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"), "0")
_RETRY_SECONDS = 0.1


def alembic_config() -> Config:
    """Alembic's settings, built here because an alembic.ini would hold nothing else."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


async def migrate(database_url: str, revision: str = "head", *, has_pooler: bool = False) -> None:
    """Upgrade to `revision`; safe to run from many processes at once, and on a database that holds data.

    `has_pooler`: the time limits of the sale become settings of the role, since its sessions are a pooler's.
    """
    # asyncpg reads the address as it does elsewhere: SQLAlchemy would not know sslmode.
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(database_url, server_settings=_KEEP_ALIVE | _UNLIMITED),
    )
    try:
        async with engine.connect() as connection:
            await _lock(connection)
            await connection.run_sync(_upgrade, revision)
            await connection.commit()
            if has_pooler:
                await _limit_role(connection)
            await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK})
            await connection.commit()
    finally:
        await engine.dispose()


async def _limit_role(connection: AsyncConnection) -> None:
    """Set the time limits for every new session of our role in this database."""
    for name, value in TIME_LIMITS.items():
        setting = f"SET {name} = '{value}'"
        await connection.execute(
            text(
                "DO $do$ BEGIN EXECUTE format('ALTER ROLE %I IN DATABASE %I "
                + setting.replace("'", "''")
                + "', current_user, current_database()); END $do$"
            )
        )
    await connection.commit()


async def _lock(connection: AsyncConnection) -> None:
    """Wait for the lock without a statement that runs: CREATE INDEX CONCURRENTLY would wait for its end."""
    taken = text("SELECT pg_try_advisory_lock(:key)")
    while not await connection.scalar(taken, {"key": _MIGRATION_LOCK}):
        await connection.commit()
        await asyncio.sleep(_RETRY_SECONDS)
    await connection.commit()


def _upgrade(connection: Connection, revision: str) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
