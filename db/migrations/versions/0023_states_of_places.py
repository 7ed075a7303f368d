"""The state of a place within the index of live claims, so that counting an event's places reads no claim

The new index is unique beside the old one before that is dropped, so a place is never without its guard.
"""

from collections.abc import Sequence

from alembic import op

from db.migrations.steps import briefly, create_indexes, drop_indexes

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_NAME, _NEXT = "claims_live", "claims_live_next"
_LIVE = "WHERE state <> 'ENDED'"


def upgrade() -> None:
    _exchange(f"claims (event_id, place) INCLUDE (state) {_LIVE}")


def downgrade() -> None:
    _exchange(f"claims (event_id, place) {_LIVE}")


def _exchange(columns: str) -> None:
    with op.get_context().autocommit_block():
        create_indexes({_NEXT: columns}, unique=True)
        drop_indexes([_NAME])
        briefly(f"ALTER INDEX {_NEXT} RENAME TO {_NAME};")
