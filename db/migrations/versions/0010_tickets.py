"""A ticket's own id with each claim"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_BATCH = 20_000


def upgrade() -> None:
    # The column and its default apply at once; processes of the version before write no ticket_id.
    op.execute("ALTER TABLE claims ADD COLUMN IF NOT EXISTS ticket_id uuid")
    op.execute("ALTER TABLE claims ALTER COLUMN ticket_id SET DEFAULT gen_random_uuid()")
    with op.get_context().autocommit_block():
        _fill()
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS claims_by_ticket")
        op.execute("CREATE UNIQUE INDEX CONCURRENTLY claims_by_ticket ON claims (ticket_id)")
        # With a validated check, SET NOT NULL needs no scan under its lock.
        op.execute("ALTER TABLE claims DROP CONSTRAINT IF EXISTS claims_with_ticket")
        op.execute(
            "ALTER TABLE claims ADD CONSTRAINT claims_with_ticket CHECK (ticket_id IS NOT NULL) NOT VALID"
        )
        op.execute("ALTER TABLE claims VALIDATE CONSTRAINT claims_with_ticket")
        op.execute("ALTER TABLE claims ALTER COLUMN ticket_id SET NOT NULL")
        op.execute("ALTER TABLE claims DROP CONSTRAINT claims_with_ticket")


def _fill() -> None:
    """Give every claim an id, in batches, so that none is locked for long."""
    connection = op.get_bind()
    last = connection.scalar(sa.text("SELECT coalesce(max(id), 0) FROM claims"))
    for first in range(0, last + 1, _BATCH):
        connection.execute(
            sa.text(
                "UPDATE claims SET ticket_id = gen_random_uuid()"
                " WHERE id BETWEEN :first AND :last AND ticket_id IS NULL"
            ),
            {"first": first, "last": first + _BATCH - 1},
        )


def downgrade() -> None:
    op.drop_column("claims", "ticket_id")
