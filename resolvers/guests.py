"""Guest checkout."""

from resolvers.context import RequestContext
from services.identity.guests import GuestSession
from services.identity.guests import create_guest_session as create


async def create_guest_session(context: RequestContext, email: str, name: str | None) -> GuestSession:
    """Create a token for a buyer without an account."""
    return await create(context.services, context.tokens, email, name)
