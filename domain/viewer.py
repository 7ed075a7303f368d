"""The viewer: the caller of a request."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

GUEST_SUBJECT = "guest:"
"""What the subject of a guest's token begins with."""


class Scope(StrEnum):
    """The rights that a token may carry."""

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
    """The application that the token was issued to, where the token names it."""
    expires_at: float | None = field(default=None, compare=False)
    """The end of the token, in Unix seconds."""
    email_verified: bool = field(default=True, compare=False)
    """Whether the token's issuer vouches for the address."""

    @property
    def is_guest(self) -> bool:
        """Whether this is a guest, whose address nobody has verified."""
        return self.subject.startswith(GUEST_SUBJECT)
