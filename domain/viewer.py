"""Who is asking."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Scope(StrEnum):
    """What a token may be used for."""

    BUY = "buy"
    ORGANISE = "organise"
    CHECK_IN = "check_in"


@dataclass(frozen=True, slots=True)
class Viewer:
    """The caller that a token speaks for; `user_id` follows from `subject` (domain.ids)."""

    user_id: UUID
    subject: str
    email: str | None
    name: str | None
    scopes: frozenset[str]
    client_id: str | None = field(default=None, compare=False)
    """The application that the token was issued to, where the token says so."""
    expires_at: float | None = field(default=None, compare=False)
    """When the token ends, in seconds of the epoch."""
