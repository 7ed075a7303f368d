"""Guest checkout: buying without an account."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from db.queries.users import UserRow, store_user
from domain.ids import user_id_of
from domain.text_input import email as email_address
from domain.text_input import optional_name
from domain.viewer import Scope, Viewer
from services.context import ServiceContext, reading
from services.identity.tokens import Tokens

SESSION = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class GuestSession:
    """A guest and the token that speaks for them until it expires."""

    token: str
    expires_at: datetime
    user: UserRow


async def create_guest_session(
    context: ServiceContext, tokens: Tokens, email: str, name: str | None
) -> GuestSession:
    """A new guest with a two-hour token for buying; each call makes another guest.

    Raises:
        InvalidInput: the address or the name cannot be one.
        Unavailable: this installation signs no tokens, or the database is away.
    """
    address = email_address(email, "email")
    called = optional_name(name, "name")
    subject = f"guest:{uuid4()}"
    viewer = Viewer(user_id_of(subject), subject, address, called, frozenset({Scope.BUY.value}))
    expires_at = (context.now() + SESSION).replace(microsecond=0)
    token = tokens.mint(viewer, expires_at)
    await reading(store_user(context.database, viewer, guest=True))
    return GuestSession(token, expires_at, UserRow(viewer.user_id, address, called))
