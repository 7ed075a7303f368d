"""Guest checkout."""

from resolvers.context import RequestContext
from services.identity.guests import GuestSession


async def create_guest_session(
    context: RequestContext, email: str, name: str | None, solution: str | None
) -> GuestSession:
    """Create a token for a buyer without an account."""
    return await context.guests.create(email, name, solution, context.address)
