"""Leases: which process leads a work that one at a time may do, and until when"""

from collections.abc import Sequence

from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE IF NOT EXISTS leases (name text PRIMARY KEY, holder text NOT NULL,"
        " token bigint NOT NULL, since timestamptz NOT NULL, until timestamptz NOT NULL)"
    )


def downgrade() -> None:
    op.drop_table("leases")
