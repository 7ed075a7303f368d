"""When the gateway is asked about a refunded payment again, and an index of the refunds that are not sent"""

from collections.abc import Sequence

from alembic import op

from db.migrations.steps import briefly, create_indexes, drop_indexes

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INDEXES = {
    "payments_with_refund_check": "payments (refund_check_at) WHERE refund_check_at IS NOT NULL",
    "refunds_not_sent": "refunds (id) WHERE state <> 'SENT'",
}
# The bank may return those of the last ten days.
_LATE_REFUNDS = """
UPDATE payments SET refund_check_at = now() + interval '1 hour'
WHERE refunded_minor > 0 AND refund_check_at IS NULL AND id IN (
  SELECT payment_id FROM refunds WHERE state = 'SENT' AND updated_at > now() - interval '10 days'
)
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # A constant default is no rewrite of the table.
        briefly(
            "ALTER TABLE payments ADD COLUMN IF NOT EXISTS refund_checks integer NOT NULL DEFAULT 0,"
            " ADD COLUMN IF NOT EXISTS refund_check_at timestamptz;"
        )
        create_indexes(_INDEXES)
        op.execute(_LATE_REFUNDS)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        drop_indexes(_INDEXES)
        briefly("ALTER TABLE payments DROP COLUMN refund_checks, DROP COLUMN refund_check_at;")
