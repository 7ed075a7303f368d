"""Steps of migrations that let sales go on: they wait for no lock for long, and may be repeated."""

import time
from collections.abc import Iterable, Mapping

from alembic import op
from sqlalchemy.exc import DBAPIError

LOCK_MS, PAUSE_SECONDS, TRIES = 200, 0.5, 1_200
_LOCK_NOT_AVAILABLE = "55P03"


def create_indexes(indexes: Mapping[str, str], *, unique: bool = False) -> None:
    """Create indexes beside the writers; call it in an autocommit block. `indexes` are columns by name.

    One that an interrupted run has left behind as invalid is dropped first.
    """
    # The build waits for older transactions to end, which blocks no writer: a report may take its time.
    for setting in ("lock_timeout", "statement_timeout"):
        op.execute(f"SET {setting} = 0")
    for name, columns in indexes.items():
        if not _is_valid(name):
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE {'UNIQUE ' if unique else ''}INDEX CONCURRENTLY {name} ON {columns}")


def drop_indexes(names: Iterable[str]) -> None:
    """Drop indexes beside the writers; call it in an autocommit block."""
    for name in names:
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def briefly(statements: str) -> None:
    """Run statements in one transaction that waits 0.2 s for a lock at most, again and again until it has it.

    A statement that waits for a lock makes the later ones wait behind it, sales included.
    """
    for number in range(1, TRIES + 1):
        try:
            wait = f"PERFORM set_config('lock_timeout', '{LOCK_MS}ms', true);"
            op.execute(f"DO $do$ BEGIN {wait} {statements} END $do$")
        except DBAPIError as error:
            if number == TRIES or getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _is_valid(name: str) -> bool:
    statement = (
        "SELECT coalesce(bool_or(indisvalid), false) FROM pg_index"  # noqa: S608 - a name of our own
        f" WHERE indexrelid = to_regclass('{name}')"
    )
    return bool(op.get_bind().exec_driver_sql(statement).scalar())
