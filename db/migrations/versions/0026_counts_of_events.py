"""The end of an event within the index by its start, so that counting upcoming events reads no event"""

from collections.abc import Sequence

from alembic import op

from db.migrations.steps import create_indexes, drop_indexes

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_NEXT = {"events_by_start_and_end": "events (starts_at, id) INCLUDE (ends_at) WHERE state = 'PUBLISHED'"}
_REPLACED = {"events_by_start": "events (starts_at, id) WHERE state = 'PUBLISHED'"}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        create_indexes(_NEXT)
        drop_indexes(_REPLACED)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        create_indexes(_REPLACED)
        drop_indexes(_NEXT)
