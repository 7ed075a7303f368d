"""Indexes in the order of the pages that read them, so that a page costs the same in a table of any size

The new index of each pair exists before the one that it replaces is dropped. No step blocks writes.
"""

from collections.abc import Sequence

from alembic import op

from db.migrations.steps import create_indexes, drop_indexes

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INDEXES = {
    "orders_by_event_and_state": "orders (event_id, state, created_at, id)",
    "events_by_venue_and_start": "events (venue_id, starts_at, id)",
    "events_by_category": "events (lower(category), starts_at, id) WHERE state = 'PUBLISHED'",
    "events_of_days": "events (ends_at)"
    " WHERE state = 'PUBLISHED' AND ends_at - starts_at > interval '6 hours'",
    "events_by_organiser_and_creation": "events (organiser_id, created_at, id)",
    "venues_by_city": "venues (lower(city))",
}
_REPLACED = {
    "orders_by_event": "orders (event_id, state)",
    "events_by_venue": "events (venue_id)",
    "events_by_organiser": "events (organiser_id)",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        create_indexes(_INDEXES)
        drop_indexes(_REPLACED)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        create_indexes(_REPLACED)
        drop_indexes(_INDEXES)
