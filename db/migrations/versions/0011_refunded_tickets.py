"""Which refund ended a claim; when an order was booked, and through which channel it was made"""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_BATCH = 10_000
# An order's last change is its booking, unless it was refunded: then its payment began shortly before.
_BOOKED = """
UPDATE orders SET booked_at = coalesce(
  CASE state WHEN 'REFUNDED' THEN (SELECT created_at FROM payments WHERE order_id = orders.id) END, updated_at
)
WHERE id = ANY (:ids)
"""
_NEXT = """
SELECT id FROM orders WHERE id > :last AND state IN ('BOOKED', 'REFUNDED') AND booked_at IS NULL
ORDER BY id LIMIT :most
"""
# Where an order has one refund, its ended claims are that refund's.
_REFUNDED = """
UPDATE claims SET refund_id = single.refund_id
FROM (
  SELECT payments.order_id, (array_agg(refunds.id))[1] AS refund_id
  FROM payments JOIN refunds ON refunds.payment_id = payments.id
  WHERE payments.order_id = ANY (:ids)
  GROUP BY payments.order_id HAVING count(*) = 1
) AS single
WHERE claims.order_id = single.order_id AND claims.state = 'ENDED'
"""


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD COLUMN IF NOT EXISTS channel text NOT NULL DEFAULT 'WEB'")
    op.execute("ALTER TABLE orders ADD COLUMN IF NOT EXISTS booked_at timestamptz")
    op.execute("ALTER TABLE claims ADD COLUMN IF NOT EXISTS refund_id uuid")
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE orders DROP CONSTRAINT IF EXISTS orders_channel")
        op.execute(
            "ALTER TABLE orders ADD CONSTRAINT orders_channel"
            " CHECK (channel IN ('WEB', 'BOX_OFFICE', 'PARTNER')) NOT VALID"
        )
        op.execute("ALTER TABLE orders VALIDATE CONSTRAINT orders_channel")
        op.execute("ALTER TABLE claims DROP CONSTRAINT IF EXISTS claims_refund_id_fkey")
        op.execute(
            "ALTER TABLE claims ADD CONSTRAINT claims_refund_id_fkey"
            " FOREIGN KEY (refund_id) REFERENCES refunds (id) NOT VALID"
        )
        op.execute("ALTER TABLE claims VALIDATE CONSTRAINT claims_refund_id_fkey")
        _fill()


def _fill() -> None:
    """Fill what is known of orders that were booked before, in batches."""
    connection, last = op.get_bind(), UUID(int=0)
    while True:
        batch = connection.scalars(sa.text(_NEXT), {"last": last, "most": _BATCH}).all()
        if not batch:
            return
        connection.execute(sa.text(_REFUNDED), {"ids": list(batch)})
        connection.execute(sa.text(_BOOKED), {"ids": list(batch)})
        last = batch[-1]


def downgrade() -> None:
    op.drop_column("claims", "refund_id")
    op.drop_column("orders", "booked_at")
    op.drop_column("orders", "channel")
