"""Since when an event is in Redis, so that nobody has to look through all of its keys"""

from collections.abc import Sequence

from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # The default is evaluated once and writes no row, so the lock is short.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE place_epochs ADD COLUMN IF NOT EXISTS built_at timestamptz DEFAULT now()")
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS place_epochs_built")
        columns = "(event_id) WHERE built_at IS NOT NULL"
        op.execute(f"CREATE INDEX CONCURRENTLY place_epochs_built ON place_epochs {columns}")


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS place_epochs_built")
    op.drop_column("place_epochs", "built_at")
