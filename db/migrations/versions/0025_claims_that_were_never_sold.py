"""An index of the claims that ended without a sale, which are removed some time after their event"""

from collections.abc import Sequence

from alembic import op

from db.migrations.steps import create_indexes, drop_indexes

revision: str = "0025"
down_revision: str | None = "0024"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INDEXES = {"claims_never_sold": "claims (event_id) WHERE state = 'ENDED' AND refund_id IS NULL"}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        create_indexes(_INDEXES)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        drop_indexes(_INDEXES)
