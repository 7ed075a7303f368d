"""The leases of leaders."""

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db.models.columns import datetime, text, timestamp


class Lease(SQLModel, table=True):
    """Who leads a work, since when, and until when unless the lease is renewed.

    `token` grows by one with each new holder; a write of an earlier one is refused.
    """

    __tablename__ = "leases"

    name: str = Field(sa_column=sa.Column(sa.Text, primary_key=True))
    holder: str = text()
    token: int = Field(sa_column=sa.Column(sa.BigInteger, nullable=False))
    since: datetime = timestamp()
    until: datetime = timestamp()
