"""Column definitions that several tables share."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Field


def key() -> Any:
    """A UUIDv7 primary key that the application generates."""
    return Field(sa_column=sa.Column(postgresql.UUID(as_uuid=True), primary_key=True))


def foreign_key(target: str, *, nullable: bool = False, **options: Any) -> Any:
    """A foreign key to `target` (table.column)."""
    column_type: Any = postgresql.UUID(as_uuid=True)
    return Field(
        default=None,
        sa_column=sa.Column(column_type, sa.ForeignKey(target), nullable=nullable, **options),
    )


def timestamp(*, nullable: bool = False, now: bool = False) -> Any:
    """A timestamp with time zone; `now` sets it at insertion."""
    default = sa.text("now()") if now else None
    return Field(
        default=None,
        sa_column=sa.Column(sa.DateTime(timezone=True), nullable=nullable, server_default=default),
    )


def amount(*, nullable: bool = False, default: str | None = None) -> Any:
    """An amount in minor units: 32 bits hold no more than 21,474,836.47 of a rupiah or peso."""
    return Field(
        default=None,
        sa_column=sa.Column(sa.BigInteger, nullable=nullable, server_default=default),
    )


def text(*, nullable: bool = False, default: str | None = None, unique: bool = False) -> Any:
    """Text of any length."""
    return Field(
        default=None,
        sa_column=sa.Column(sa.Text, nullable=nullable, server_default=default, unique=unique),
    )


def state(states: type[Any], *, name: str) -> Any:
    """Text that is one of an enum's values, enforced by a named check."""
    values = ", ".join(f"'{value}'" for value in states)
    return Field(
        sa_column=sa.Column(
            "state", sa.Text, sa.CheckConstraint(f"state IN ({values})", name=name), nullable=False
        )
    )


__all__ = ["UUID", "amount", "datetime", "foreign_key", "key", "state", "text", "timestamp"]
