"""What the search engines are fed from, and the documents of the one that lives in the database."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Field, SQLModel

from db.models.columns import UUID, datetime, key, moment, text


class SearchOutboxEntry(SQLModel, table=True):
    """An event whose document may be out of date; written by triggers, deleted once it was delivered.

    `recorded` says that the database's own document is up to date and only the engine's is not.
    """

    __tablename__ = "search_outbox"
    __table_args__ = (
        sa.Index("search_outbox_unrecorded", "id", postgresql_where="NOT recorded"),
        sa.Index("search_outbox_by_event", "event_id"),
    )

    id: int = Field(sa_column=sa.Column(sa.BigInteger, sa.Identity(always=True), primary_key=True))
    event_id: UUID = Field(sa_column=sa.Column(postgresql.UUID(as_uuid=True), nullable=False))
    recorded: bool = Field(sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.false()))
    created_at: datetime = moment(now=True)


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
    """Every word of a name ever indexed: what a mistyped word is compared with."""

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
    """A document that the engine refused, parked with its reason until its event changes again."""

    __tablename__ = "search_refusals"

    event_id: UUID = key()
    error: str = text()
    refused_at: datetime = moment(now=True)


class SearchRemark(SQLModel, table=True):
    """An event delivered while a second index was being built, to be delivered again after the swap."""

    __tablename__ = "search_remarks"

    event_id: UUID = key()


class SearchState(SQLModel, table=True):
    """One row: which build of the index is being served, and whether one can be."""

    __tablename__ = "search_state"
    __table_args__ = (sa.CheckConstraint("id = 1", name="search_state_is_one_row"),)

    id: int = Field(sa_column=sa.Column(sa.Integer, primary_key=True, autoincrement=False))
    generation: int = Field(sa_column=sa.Column(sa.BigInteger, nullable=False, server_default="0"))
    ready: bool = Field(sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.false()))
    rebuilding: bool = Field(sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.false()))
    fingerprint: str | None = text(nullable=True)
    updated_at: datetime = moment(now=True)
