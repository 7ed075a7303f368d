"""How long before its sale an event's line opens"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "events",
        sa.Column("waiting_room_pre_queue_seconds", sa.Integer(), server_default="86400", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("events", "waiting_room_pre_queue_seconds")
