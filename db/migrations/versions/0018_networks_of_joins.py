"""The network of each join of a waiting room, and what it took of that network's share"""

from collections.abc import Sequence

from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # Without a default no row is written, so the lock is short; joins of older processes leave them empty.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        "ALTER TABLE queue_entries ADD COLUMN IF NOT EXISTS joined bigint,"
        " ADD COLUMN IF NOT EXISTS network text, ADD COLUMN IF NOT EXISTS points integer"
    )


def downgrade() -> None:
    for column in ("joined", "network", "points"):
        op.drop_column("queue_entries", column)
