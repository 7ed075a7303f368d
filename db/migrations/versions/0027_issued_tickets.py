"""Issued tickets: generation, time of issue and holder with each claim, and the list of void ones for doors

A trigger writes the void list, so that every way in which a ticket ends puts it there with the same commit,
in processes of the version before too. Tickets that were booked before have generation 1.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from db.migrations.steps import briefly, create_indexes, drop_indexes

revision: str = "0027"
down_revision: str | None = "0026"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_BATCH = 20_000
_INDEXES = {"claims_void": "claims (event_id, void_version) WHERE void_version IS NOT NULL"}
# A constant default is no rewrite of the table.
_COLUMNS = """
ALTER TABLE claims
  ADD COLUMN IF NOT EXISTS generation integer NOT NULL DEFAULT 1,
  ADD COLUMN IF NOT EXISTS issued_at timestamptz,
  ADD COLUMN IF NOT EXISTS voided_at timestamptz,
  ADD COLUMN IF NOT EXISTS void_version integer,
  ADD COLUMN IF NOT EXISTS holder_name text,
  ADD COLUMN IF NOT EXISTS holder_email text;
CREATE TABLE IF NOT EXISTS void_lists (event_id uuid PRIMARY KEY, version integer NOT NULL);
"""
# The row of the event's list is locked until the commit, so that a reader at a version misses nothing that
# commits late. A ticket that doctor restores has been void: it comes back as a new generation.
_FUNCTION = """
CREATE OR REPLACE FUNCTION void_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO void_lists AS list (event_id, version) VALUES (NEW.event_id, 1)
  ON CONFLICT (event_id) DO UPDATE SET version = list.version + 1
  RETURNING version INTO NEW.void_version;
  IF NEW.state = 'BOOKED' THEN
    NEW.generation := OLD.generation + 1;
    NEW.voided_at := NULL;
  ELSE
    NEW.voided_at := now();
  END IF;
  RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS claims_void ON claims;
CREATE TRIGGER claims_void BEFORE UPDATE OF state, generation ON claims FOR EACH ROW WHEN (
  OLD.state = 'BOOKED' AND (NEW.state <> 'BOOKED' OR NEW.generation <> OLD.generation)
  OR OLD.voided_at IS NOT NULL AND NEW.state = 'BOOKED'
) EXECUTE FUNCTION void_ticket();
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        briefly(_COLUMNS)
        create_indexes(_INDEXES)
        briefly(_FUNCTION)
        _fill()


def _fill() -> None:
    """Give the tickets of booked orders their time, in batches, so that none is locked for long."""
    connection = op.get_bind()
    last = connection.scalar(sa.text("SELECT coalesce(max(id), 0) FROM claims"))
    for first in range(0, last + 1, _BATCH):
        connection.execute(
            sa.text(
                "UPDATE claims SET issued_at = orders.booked_at FROM orders WHERE orders.id = order_id"
                " AND claims.id BETWEEN :first AND :last AND claims.state = 'BOOKED' AND issued_at IS NULL"
            ),
            {"first": first, "last": first + _BATCH - 1},
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        drop_indexes(_INDEXES)
        briefly(
            "DROP TRIGGER claims_void ON claims; DROP FUNCTION void_ticket(); DROP TABLE void_lists;"
            " ALTER TABLE claims DROP COLUMN generation, DROP COLUMN issued_at, DROP COLUMN voided_at,"
            " DROP COLUMN void_version, DROP COLUMN holder_name, DROP COLUMN holder_email;"
        )
