"""The cheapest events first, without sorting all of them"""

from collections.abc import Sequence

from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "events_by_price",
        "events",
        ["price_from", "starts_at", "id"],
        unique=False,
        postgresql_where="state = 'PUBLISHED'",
    )


def downgrade() -> None:
    op.drop_index("events_by_price", table_name="events", postgresql_where="state = 'PUBLISHED'")
