"""Indexes for the removal of data that was stored long enough, and for the data of one person"""

from collections.abc import Sequence

from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_SETTLED = "network IS NOT NULL AND state NOT IN ('RESERVED', 'PAYING')"
_INDEXES = {
    "orders_with_network": f"orders (event_id) WHERE {_SETTLED}",
    "queue_entries_by_user": "queue_entries (user_id)",
    "stripe_events_by_age": "stripe_events (received_at)",
    "users_guests_by_age": "users (created_at) WHERE guest",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, columns in _INDEXES.items():
            # One that was interrupted is left behind as invalid.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {columns}")


def downgrade() -> None:
    for name in _INDEXES:
        op.execute(f"DROP INDEX {name}")
