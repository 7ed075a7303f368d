"""The dirty-key outbox of the search index, and the documents of the search in PostgreSQL."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Field, SQLModel

from db.models.columns import UUID, datetime, key, text, timestamp


class SearchOutboxEntry(SQLModel, table=True):
    """An event whose document may be out of date; written by triggers, deleted once it was indexed.

    `recorded` says that the document in PostgreSQL is up to date and only that of the engine is not.
    """

    __tablename__ = "search_outbox"
    __table_args__ = (
        sa.Index("search_outbox_unrecorded", "id", postgresql_where="NOT recorded"),
        sa.Index("search_outbox_by_event", "event_id"),
    )

    id: int = Field(sa_column=sa.Column(sa.BigInteger, sa.Identity(always=True), primary_key=True))
    event_id: UUID = Field(sa_column=sa.Column(postgresql.UUID(as_uuid=True), nullable=False))
    recorded: bool = Field(sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.false()))
    created_at: datetime = timestamp(now=True)


class SearchDocument(SQLModel, table=True):
    """A published event's words, as `search.documents.text_vector` writes them."""

    __tablename__ = "search_documents"
    __table_args__ = (sa.Index("search_documents_words", "words", postgresql_using="gin"),)

    event_id: UUID = Field(
        sa_column=sa.Column(
            postgresql.UUID(as_uuid=True),
            sa.ForeignKey("events.id", ondelete="CASCADE"),
            primary_key=True,
        )
    )
    words: str = Field(sa_column=sa.Column(postgresql.TSVECTOR, nullable=False))


class SearchWord(SQLModel, table=True):
    """Every word of a name that was ever indexed; mistyped words are compared with these."""

    __tablename__ = "search_words"
    __table_args__ = (
        sa.Index("search_words_by_length", sa.text("length(word)"), "word"),
        sa.Index(
            "search_words_trigrams",
            "word",
            postgresql_using="gin",
            postgresql_ops={"word": "gin_trgm_ops"},
        ),
    )

    word: str = Field(sa_column=sa.Column(sa.Text, primary_key=True))


class SearchRefusal(SQLModel, table=True):
    """A document that the engine refused, stored with the reason until its event changes again."""

    __tablename__ = "search_refusals"

    event_id: UUID = key()
    error: str = text()
    refused_at: datetime = timestamp(now=True)


class SearchRemark(SQLModel, table=True):
    """An event that was indexed during the build of a second index, to be indexed again after the swap."""

    __tablename__ = "search_remarks"

    event_id: UUID = key()


class SearchState(SQLModel, table=True):
    """One row: which build of the index serves, and whether one is ready."""

    __tablename__ = "search_state"
    __table_args__ = (sa.CheckConstraint("id = 1", name="search_state_is_one_row"),)

    id: int = Field(sa_column=sa.Column(sa.Integer, primary_key=True, autoincrement=False))
    generation: int = Field(sa_column=sa.Column(sa.BigInteger, nullable=False, server_default="0"))
    ready: bool = Field(sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.false()))
    rebuilding: bool = Field(sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.false()))
    fingerprint: str | None = text(nullable=True)
    # Of the documents in PostgreSQL, where no engine is configured whose rebuild writes them.
    documents_version: int | None = Field(sa_column=sa.Column(sa.Integer, nullable=True))
    updated_at: datetime = timestamp(now=True)
