"""Amounts of 64 bits, and an event's lowest and highest price with the fees

ALTER TYPE would rewrite each table under a lock that stops the sale. Instead every column gets a wide one
beside it, which a trigger and then batches fill, and the two are exchanged in one short transaction. A lock
is waited for briefly, so that no statement queues behind ours, and every step may be repeated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from db.migrations.steps import briefly

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_BATCH = 10_000
_EVENTS_PER_BATCH = 200
_BEFORE_ALL = UUID(int=0)


@dataclass(frozen=True)
class _Table:
    name: str
    key: str
    columns: tuple[str, ...]
    nullable: bool = False
    zero: tuple[str, ...] = ()
    before_all: UUID | int = _BEFORE_ALL


_TABLES = (
    _Table("price_levels", "event_id", ("price_minor", "fee_minor")),
    _Table("orders", "id", ("subtotal_minor", "fees_minor", "total_minor")),
    _Table("claims", "id", ("price_minor", "fee_minor"), before_all=0),
    _Table(
        "payments",
        "id",
        ("amount_minor", "captured_minor", "refunded_minor"),
        zero=("captured_minor", "refunded_minor"),
    ),
    _Table("refunds", "id", ("amount_minor",)),
    _Table("events", "id", ("price_from", "price_to"), nullable=True),
)
_EVENTS_BY_PRICE = "events_by_price"
# Only prices of places that there are: a category without seats may have a price too.
_WITH_FEES = """
UPDATE events SET price_from = priced.lowest, price_to = priced.highest
FROM (
  SELECT used.id, min(levels.price_minor + levels.fee_minor) AS lowest,
    max(levels.price_minor + levels.fee_minor) AS highest
  FROM (
    SELECT DISTINCT wanted.id, level::int AS number
    FROM events AS wanted
    JOIN seat_maps ON seat_maps.version = wanted.seat_map_version
    CROSS JOIN LATERAL (
      SELECT jsonb_path_query(layout, '$.sections[*].rows[*].priceLevels[*]') AS level
      UNION SELECT jsonb_path_query(layout, '$.sections[*].priceLevel')
    ) AS levels
    WHERE wanted.id = ANY (:ids) AND jsonb_typeof(level) = 'number'
  ) AS used
  JOIN price_levels AS levels ON levels.event_id = used.id AND levels.number = used.number
  GROUP BY used.id
) AS priced
WHERE events.id = priced.id AND (price_from, price_to) IS DISTINCT FROM (priced.lowest, priced.highest)
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for table in _TABLES:
            if not _is_wide(table):
                _add_wide_columns(table)
                _fill(table)
                if table.name == "events":
                    _index_wide_prices()
                _exchange(table)
        _include_fees()


def _is_wide(table: _Table) -> bool:
    """Whether an earlier run of this migration exchanged the columns already."""
    kind = op.get_bind().scalar(
        sa.text(
            "SELECT data_type FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name = :table AND column_name = :column"
        ),
        {"table": table.name, "column": table.columns[0]},
    )
    return bool(kind == "bigint")


def _add_wide_columns(table: _Table) -> None:
    columns = [f"ADD COLUMN IF NOT EXISTS {column}_64 bigint" for column in table.columns]
    copies = " ".join(f"NEW.{column}_64 := NEW.{column};" for column in table.columns)
    op.execute(
        f"CREATE OR REPLACE FUNCTION {table.name}_64() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {copies} RETURN NEW; END $$"
    )
    briefly(f"ALTER TABLE {table.name} {', '.join(columns)};")
    briefly(
        f"DROP TRIGGER IF EXISTS {table.name}_64 ON {table.name};"
        f" CREATE TRIGGER {table.name}_64 BEFORE INSERT OR UPDATE ON {table.name}"
        f" FOR EACH ROW EXECUTE FUNCTION {table.name}_64();"
    )


def _fill(table: _Table) -> None:
    """Copy the amounts of the rows that are there, in batches, so that none is locked for long."""
    connection, key = op.get_bind(), table.key
    copies = ", ".join(f"{column}_64 = {column}" for column in table.columns)
    empty = " AND ".join(f"{column}_64 IS NULL" for column in table.columns)
    batch = f"SELECT {key} FROM {table.name} WHERE {key} > :last ORDER BY {key} LIMIT :most"  # noqa: S608
    ends = sa.text(f"SELECT {key} FROM ({batch}) AS batch ORDER BY {key} DESC LIMIT 1")  # noqa: S608
    # Between two keys, which is an index scan even where the table was never analysed.
    copy = sa.text(
        f"UPDATE {table.name} SET {copies} WHERE {key} > :last AND {key} <= :end AND {empty}"  # noqa: S608
    )
    last = table.before_all
    while (end := connection.scalar(ends, {"last": last, "most": _BATCH})) is not None:
        connection.execute(copy, {"last": last, "end": end})
        last = end


def _index_wide_prices() -> None:
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_EVENTS_BY_PRICE}_64")
    op.execute(
        f"CREATE INDEX CONCURRENTLY {_EVENTS_BY_PRICE}_64 ON events (price_from_64, starts_at, id)"
        " WHERE state = 'PUBLISHED'"
    )


def _exchange(table: _Table) -> None:
    """Exchange the columns. With a validated check, SET NOT NULL reads no row."""
    name, check = table.name, f"{table.name}_64_filled"
    if not table.nullable:
        full = " AND ".join(f"{column}_64 IS NOT NULL" for column in table.columns)
        briefly(
            f"ALTER TABLE {name} DROP CONSTRAINT IF EXISTS {check};"
            f" ALTER TABLE {name} ADD CONSTRAINT {check} CHECK ({full}) NOT VALID;"
        )
        op.execute(f"ALTER TABLE {name} VALIDATE CONSTRAINT {check}")
    steps = [f"DROP TRIGGER {name}_64 ON {name}", f"DROP FUNCTION {name}_64()"]
    for column in table.columns:
        if not table.nullable:
            steps.append(f"ALTER TABLE {name} ALTER COLUMN {column}_64 SET NOT NULL")
        if column in table.zero:
            steps.append(f"ALTER TABLE {name} ALTER COLUMN {column}_64 SET DEFAULT 0")
        steps.append(f"ALTER TABLE {name} DROP COLUMN {column}")
        steps.append(f"ALTER TABLE {name} RENAME COLUMN {column}_64 TO {column}")
    if not table.nullable:
        steps.append(f"ALTER TABLE {name} DROP CONSTRAINT {check}")
    if name == "events":
        steps.append(f"ALTER INDEX {_EVENTS_BY_PRICE}_64 RENAME TO {_EVENTS_BY_PRICE}")
    briefly("; ".join(steps) + ";")


def _include_fees() -> None:
    connection = op.get_bind()
    with_fees = sa.text("SELECT DISTINCT event_id FROM price_levels WHERE fee_minor > 0 ORDER BY event_id")
    events = list(connection.scalars(with_fees))
    for first in range(0, len(events), _EVENTS_PER_BATCH):
        connection.execute(sa.text(_WITH_FEES), {"ids": events[first : first + _EVENTS_PER_BATCH]})


def downgrade() -> None:
    for table in _TABLES:
        for column in table.columns:
            op.alter_column(table.name, column, type_=sa.Integer())
