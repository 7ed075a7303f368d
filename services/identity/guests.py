"""Guest checkout: a token for a buyer without an account."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from db.queries.users import UserRow, store_user
from domain.ids import user_id_of
from domain.text_input import email as email_address
from domain.text_input import optional_name
from domain.viewer import GUEST_SUBJECT, Scope, Viewer
from services.context import ServiceContext, reading
from services.identity.tokens import Tokens

SESSION = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class GuestSession:
    """A guest, and the token that is valid until `expires_at`."""

    token: str
    expires_at: datetime
    user: UserRow


async def create_guest_session(
    context: ServiceContext, tokens: Tokens, email: str, name: str | None
) -> GuestSession:
    """Create a guest with a two-hour token for buying; each call creates another guest.

    Raises:
        InvalidInput: The address or the name is malformed.
        Unavailable: This installation signs no tokens, or the database does not answer.
    """
    address = email_address(email, "email")
    guest_name = optional_name(name, "name")
    subject = f"{GUEST_SUBJECT}{uuid4()}"
    viewer = Viewer(user_id_of(subject), subject, address, guest_name, frozenset({Scope.BUY.value}))
    expires_at = (context.now() + SESSION).replace(microsecond=0)
    token = tokens.mint(viewer, expires_at)
    await reading(store_user(context.database, viewer, guest=True))
    return GuestSession(token, expires_at, UserRow(viewer.user_id, address, guest_name))
