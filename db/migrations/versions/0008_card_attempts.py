"""Card attempts, whose declines are limited, and the time at which each payment is looked at again"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_UNSETTLED = "state IN ('REQUIRES_ACTION', 'PROCESSING', 'AUTHORIZED', 'FAILED')"


def upgrade() -> None:
    op.add_column("payments", sa.Column("checks", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "payments",
        sa.Column("check_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
    )
    op.drop_index("payments_unsettled", table_name="payments")
    op.create_index("payments_unsettled", "payments", ["check_at"], postgresql_where=_UNSETTLED)
    op.create_table(
        "card_attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("order_id", postgresql.UUID(as_uuid=True), sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("attempt", sa.Text(), nullable=False),
        sa.Column("person_key", postgresql.UUID(as_uuid=True), nullable=True),
        sa.Column("network", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('PENDING', 'DECLINED', 'ACCEPTED')", name="card_attempts_state"),
    )
    op.create_index("card_attempts_once", "card_attempts", ["order_id", "attempt"], unique=True)
    op.create_index("card_attempts_by_person", "card_attempts", ["person_key", "at"])
    op.create_index("card_attempts_by_network", "card_attempts", ["network", "state", "at"])
    op.create_index("card_attempts_by_age", "card_attempts", ["at"])


def downgrade() -> None:
    op.drop_table("card_attempts")
    op.drop_index("payments_unsettled", table_name="payments")
    op.create_index("payments_unsettled", "payments", ["updated_at"], postgresql_where=_UNSETTLED)
    op.drop_column("payments", "check_at")
    op.drop_column("payments", "checks")
