"""The version of the search documents in PostgreSQL, so that a later one writes them again"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("search_state", sa.Column("documents_version", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("search_state", "documents_version")
