"""The line in front of a sale"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "queue_entries",
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("state", sa.CHAR(length=1), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("drawn_place", sa.BigInteger(), nullable=True),
        sa.Column("nonce", sa.Text(), server_default="", nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "user_id"),
    )
    op.create_index("queue_entries_by_sequence", "queue_entries", ["event_id", "sequence"], unique=False)
    op.create_index(
        "queue_entries_drawn",
        "queue_entries",
        ["event_id", "drawn_place"],
        unique=False,
        postgresql_where="drawn_place IS NOT NULL",
    )
    op.create_table(
        "waiting_rooms",
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("draining", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"]),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_index(
        "events_with_waiting_room",
        "events",
        ["id"],
        unique=False,
        postgresql_where="waiting_room_enabled",
    )


def downgrade() -> None:
    op.drop_index("events_with_waiting_room", table_name="events")
    op.drop_table("waiting_rooms")
    op.drop_table("queue_entries")
