"""Search: the dirty-key outbox with its triggers, and the database's own documents"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# ruff: noqa: S608  (every statement is put together from what stands here)


def _differ(columns: str) -> str:
    names = columns.split()
    new, old = (", ".join(f"{row}.{name}" for name in names) for row in "no")
    return f"({new}) IS DISTINCT FROM ({old})"


# What of an event, a venue and a performer a document is made of. A change of anything else
# (a waiting room's settings, say) costs the index nothing.
_EVENT = _differ(
    "name description state category starts_at ends_at off_sale_at venue_id "
    "price_from price_to currency sold_out"
)
_VENUE = _differ("name address city country lat lng timezone")
_PERFORMER = _differ("name bio genres")
_EVENTS_UPDATED = f"""
    SELECT n.id FROM new_rows n LEFT JOIN old_rows o ON o.id = n.id WHERE o.id IS NULL OR {_EVENT}
    UNION SELECT o.id FROM old_rows o WHERE NOT EXISTS (SELECT FROM new_rows n WHERE n.id = o.id)
"""
_VENUES_UPDATED = f"""
    SELECT e.id FROM new_rows n JOIN old_rows o ON o.id = n.id AND {_VENUE}
    JOIN events e ON e.venue_id = n.id
"""
_PERFORMERS_UPDATED = f"""
    SELECT ep.event_id FROM new_rows n JOIN old_rows o ON o.id = n.id AND {_PERFORMER}
    JOIN event_performers ep ON ep.performer_id = n.id
"""
_INSERTED = "SELECT DISTINCT event_id FROM new_rows"
_DELETED = "SELECT DISTINCT event_id FROM old_rows"
_UPDATED = "SELECT event_id FROM new_rows UNION SELECT event_id FROM old_rows"

# (table, statement, the changed events' ids). The rows are the statement's own: an import of a
# thousand events in one statement runs its trigger once.
_MARKS = (
    ("events", "INSERT", "SELECT id FROM new_rows"),
    ("events", "DELETE", "SELECT id FROM old_rows"),
    ("events", "UPDATE", _EVENTS_UPDATED),
    ("venues", "UPDATE", _VENUES_UPDATED),
    ("performers", "UPDATE", _PERFORMERS_UPDATED),
    ("event_performers", "INSERT", _INSERTED),
    ("event_performers", "DELETE", _DELETED),
    ("event_performers", "UPDATE", _UPDATED),
    ("price_levels", "INSERT", _INSERTED),
    ("price_levels", "DELETE", _DELETED),
    ("price_levels", "UPDATE", _UPDATED),
)


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute("CREATE EXTENSION IF NOT EXISTS fuzzystrmatch")
    _create_tables()
    op.execute("INSERT INTO search_state (id) VALUES (1)")
    for table, statement, events in _MARKS:
        _mark(table, statement, events)
    _mark_truncation()
    op.execute("INSERT INTO search_outbox (event_id) SELECT id FROM events")


def downgrade() -> None:
    for table, statement, _ in (*_MARKS, ("events", "TRUNCATE", "")):
        op.execute(f"DROP TRIGGER search_mark_{statement.lower()} ON {table}")
        op.execute(f"DROP FUNCTION search_mark_{table}_{statement.lower()}()")
    for table in (
        "search_state",
        "search_remarks",
        "search_refusals",
        "search_words",
        "search_documents",
        "search_outbox",
    ):
        op.drop_table(table)


def _mark(table: str, statement: str, events: str) -> None:
    name = f"search_mark_{table}_{statement.lower()}"
    transition = " ".join(
        part
        for part, statements in (
            ("OLD TABLE AS old_rows", ("UPDATE", "DELETE")),
            ("NEW TABLE AS new_rows", ("UPDATE", "INSERT")),
        )
        if statement in statements
    )
    op.execute(
        f"""
        CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO search_outbox (event_id) {events};
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        f"CREATE TRIGGER search_mark_{statement.lower()} AFTER {statement} ON {table} "
        f"REFERENCING {transition} FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
    )


def _mark_truncation() -> None:
    op.execute(
        """
        CREATE FUNCTION search_mark_events_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO search_outbox (event_id) SELECT id FROM events;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER search_mark_truncate BEFORE TRUNCATE ON events "
        "FOR EACH STATEMENT EXECUTE FUNCTION search_mark_events_truncate()"
    )


def _create_tables() -> None:
    now = sa.text("now()")
    op.create_table(
        "search_outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("recorded", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
    )
    op.create_index(
        "search_outbox_unrecorded", "search_outbox", ["id"], postgresql_where=sa.text("NOT recorded")
    )
    op.create_index("search_outbox_by_event", "search_outbox", ["event_id"])
    op.create_table(
        "search_documents",
        sa.Column("event_id", sa.UUID(), sa.ForeignKey("events.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
    )
    op.create_index("search_documents_words", "search_documents", ["words"], postgresql_using="gin")
    op.create_table("search_words", sa.Column("word", sa.Text(), primary_key=True))
    op.create_index("search_words_by_length", "search_words", [sa.text("length(word)"), "word"])
    op.create_index(
        "search_words_trigrams",
        "search_words",
        ["word"],
        postgresql_using="gin",
        postgresql_ops={"word": "gin_trgm_ops"},
    )
    op.create_table(
        "search_refusals",
        sa.Column("event_id", sa.UUID(), primary_key=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("refused_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
    )
    op.create_table("search_remarks", sa.Column("event_id", sa.UUID(), primary_key=True))
    op.create_table(
        "search_state",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("generation", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ready", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("rebuilding", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.CheckConstraint("id = 1", name="search_state_is_one_row"),
    )
