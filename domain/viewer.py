"""Who is asking."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.errors import Forbidden, Unauthenticated


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


def signed_in(viewer: Viewer | None, scope: Scope | None = None) -> Viewer:
    """The viewer, if there is one and the token has the scope.

    Raises:
        Unauthenticated: nobody is signed in.
        Forbidden: the token lacks the scope.
    """
    if viewer is None:
        raise Unauthenticated
    if scope is not None and scope.value not in viewer.scopes:
        raise Forbidden(f"This needs a token with the scope {scope.value!r}.")
    return viewer
