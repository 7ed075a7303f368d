"""The waiting room of a sale, as it survives the loss of Redis."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Field, SQLModel

from db.models.columns import UUID, datetime, foreign_key, text, timestamp


class WaitingRoom(SQLModel, table=True):
    """An event's waiting room: the seed of its draw, which never changes, and whether it is draining.

    `draining`: switched off while people wait, who are still admitted at the set pace. Until the last of
    them is, `events.waiting_room_enabled` stays on, so that `reserve` keeps asking for an admission.
    """

    __tablename__ = "waiting_rooms"

    event_id: UUID = foreign_key("events.id", primary_key=True)
    seed: bytes = Field(sa_column=sa.Column(sa.LargeBinary, nullable=False))
    drawn_at: datetime | None = timestamp(nullable=True)
    draining: bool = Field(sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.false()))
    created_at: datetime = timestamp(now=True)


class QueueEntry(SQLModel, table=True):
    """An account's entry in a waiting room: W waiting, A admitted, P passed over, E expired, L left before
    any admission, F finished (booked, or left during an admission).

    Written in batches from the journal, in its order: `sequence` is the journal's id and only grows.
    `joined`, `network` and `points` are the sequence of the latest join, the digest of its network and what
    it took of that network's share. `expires_ms` is Unix time by Redis's clock. No foreign keys: one writer
    inserts thousands a second.
    """

    __tablename__ = "queue_entries"
    __table_args__ = (
        sa.Index("queue_entries_by_sequence", "event_id", "sequence"),
        sa.Index("queue_entries_by_user", "user_id"),
        sa.Index(
            "queue_entries_drawn", "event_id", "drawn_place", postgresql_where="drawn_place IS NOT NULL"
        ),
    )

    event_id: UUID = Field(sa_column=sa.Column(postgresql.UUID(as_uuid=True), primary_key=True))
    user_id: UUID = Field(sa_column=sa.Column(postgresql.UUID(as_uuid=True), primary_key=True))
    state: str = Field(sa_column=sa.Column(sa.CHAR(1), nullable=False))
    place: int = Field(sa_column=sa.Column(sa.BigInteger, nullable=False))
    drawn_place: int | None = Field(default=None, sa_column=sa.Column(sa.BigInteger, nullable=True))
    nonce: str = text(default="")
    expires_ms: int = Field(sa_column=sa.Column(sa.BigInteger, nullable=False, server_default="0"))
    sequence: int = Field(sa_column=sa.Column(sa.BigInteger, nullable=False))
    joined: int | None = Field(default=None, sa_column=sa.Column(sa.BigInteger, nullable=True))
    network: str | None = text(nullable=True)
    points: int | None = Field(default=None, sa_column=sa.Column(sa.Integer, nullable=True))
