"""The outbox, and the webhook events that were applied."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Field, SQLModel

from db.models.columns import datetime, text, timestamp


class OutboxEntry(SQLModel, table=True):
    """A task, written by the transaction that makes it due; tasks with one `key` run in order."""

    __tablename__ = "outbox"
    __table_args__ = (
        sa.Index("outbox_due", "available_at", "id"),
        sa.Index("outbox_by_key", "key", "id"),
    )

    id: int = Field(sa_column=sa.Column(sa.BigInteger, sa.Identity(always=True), primary_key=True))
    topic: str = text()
    key: str = text()
    payload: dict[str, object] = Field(
        sa_column=sa.Column(postgresql.JSONB, nullable=False, server_default="{}")
    )
    attempts: int = Field(sa_column=sa.Column(sa.Integer, nullable=False, server_default="0"))
    last_error: str | None = text(nullable=True)
    available_at: datetime = timestamp(now=True)
    created_at: datetime = timestamp(now=True)


class SweepMark(SQLModel, table=True):
    """The time until which a sweep has read the gateway's events."""

    __tablename__ = "sweep_marks"

    name: str = Field(sa_column=sa.Column(sa.Text, primary_key=True))
    read_until: datetime = timestamp()


class StripeEvent(SQLModel, table=True):
    """A webhook event that was applied; its id is stored once."""

    __tablename__ = "stripe_events"
    __table_args__ = (sa.Index("stripe_events_by_age", "received_at"),)

    event_id: str = Field(sa_column=sa.Column(sa.Text, primary_key=True))
    type: str = text()
    received_at: datetime = timestamp(now=True)
