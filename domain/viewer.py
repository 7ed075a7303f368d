"""Who is asking."""

from dataclasses import dataclass
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
