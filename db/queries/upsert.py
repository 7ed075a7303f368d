"""Writing many rows of a table: one statement for a thousand.

The rows of a statement travel as one JSON document, because some of them hold lists.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from db.queries.columns import column_names
from db.session import Connection

STATEMENT_SECONDS = 60
_ROWS_PER_STATEMENT = 1_000

Item = TypeVar("Item")


async def upsert(
    connection: Connection, table: str, rows: Sequence[Any], *, key: str, changing: Sequence[str] = ()
) -> None:
    """Insert rows, dataclasses of one type whose fields are columns of the table.

    A row whose `key` (columns of a unique index) is there already sets the columns `changing`, and
    `updated_at` where they include it; it is not written where none of them differs.
    """
    if not rows:
        return
    statement = _statement(table, column_names(type(rows[0])), key, changing)
    for batch in batches(rows):
        # The JSON codec writes dataclasses as they are, many times faster than asdict takes them apart.
        await connection.execute(statement, list(batch), timeout=STATEMENT_SECONDS)


def _statement(table: str, columns: Sequence[str], key: str, changing: Sequence[str]) -> str:
    names = ", ".join(columns)
    insert = (
        f"INSERT INTO {table} AS old ({names})"
        f" SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, $1)"
        f" ON CONFLICT ({key})"
    )
    if not changing:
        return f"{insert} DO NOTHING"
    compared = [name for name in changing if name != "updated_at"]
    settings = ", ".join(
        "updated_at = now()" if name == "updated_at" else f"{name} = excluded.{name}" for name in changing
    )
    old, new = (", ".join(f"{row}.{name}" for name in compared) for row in ("old", "excluded"))
    return f"{insert} DO UPDATE SET {settings} WHERE ({old}) IS DISTINCT FROM ({new})"


def batches(rows: Sequence[Item], size: int = _ROWS_PER_STATEMENT) -> Iterable[Sequence[Item]]:
    """The rows in pieces of at most `size`."""
    return (rows[first : first + size] for first in range(0, len(rows), size))
