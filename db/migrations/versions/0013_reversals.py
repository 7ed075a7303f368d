"""Refunds made at the gateway by hand, disputes, and how far the sweep of both has read"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("refunds", sa.Column("by_hand", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("refunds", sa.Column("tickets_minor", sa.BigInteger, nullable=True))
    op.create_table(
        "disputes",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("payment_id", sa.Uuid, sa.ForeignKey("payments.id"), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("refundable", sa.Boolean, nullable=False),
        sa.Column("respond_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('INQUIRY', 'OPEN', 'WON', 'LOST', 'CLOSED')", name="disputes_state"),
    )
    op.create_index("disputes_by_payment", "disputes", ["payment_id"])
    op.create_table(
        "sweep_marks",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("read_until", sa.DateTime(timezone=True), nullable=False),
    )
    # Few rows, which only refunds write: its lock does not wait for sales, nor they for it.
    op.create_index("refunds_once", "refunds", ["gateway_id"], unique=True)


def downgrade() -> None:
    op.drop_index("refunds_once", "refunds")
    op.drop_table("sweep_marks")
    op.drop_table("disputes")
    op.drop_column("refunds", "tickets_minor")
    op.drop_column("refunds", "by_hand")
