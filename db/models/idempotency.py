"""Idempotency keys of the last day."""

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db.models.columns import UUID, datetime, key, timestamp


class IdempotencyKey(SQLModel, table=True):
    """The request that used a key, and the id of what it made or changed, for as long as the key is kept."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (sa.Index("idempotency_keys_by_age", "created_at"),)

    user_id: UUID = key()
    operation: str = Field(sa_column=sa.Column(sa.Text, primary_key=True))
    key: str = Field(sa_column=sa.Column(sa.Text, primary_key=True))
    input_hash: str = Field(sa_column=sa.Column(sa.Text, nullable=False))
    result_id: UUID = Field(sa_column=sa.Column(sa.Uuid(), nullable=False))
    created_at: datetime = timestamp()
