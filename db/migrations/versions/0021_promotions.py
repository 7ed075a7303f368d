"""Whether this server was promoted, and the orders that it may have lost were not looked for yet"""

from collections.abc import Sequence

from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # A promoted standby has another timeline: the first eight letters of its log files' names.
    op.execute(
        """
        CREATE OR REPLACE FUNCTION server_timeline() RETURNS text LANGUAGE sql STABLE AS $$
          SELECT 'timeline ' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
        $$
        """
    )
    op.execute(
        """
        CREATE OR REPLACE FUNCTION promotion_is_unsettled() RETURNS boolean LANGUAGE sql STABLE AS $$
          SELECT EXISTS (SELECT FROM sweep_marks WHERE name LIKE 'timeline %')
            AND NOT EXISTS (SELECT FROM sweep_marks WHERE name = server_timeline())
        $$
        """
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION IF EXISTS promotion_is_unsettled()")
    op.execute("DROP FUNCTION IF EXISTS server_timeline()")
