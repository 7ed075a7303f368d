"""Challenges."""

from domain.challenge import Challenge
from resolvers.context import RequestContext


async def challenge(context: RequestContext) -> Challenge | None:
    """A challenge for this client; None where the installation asks for none."""
    return await context.challenges.issue(context.address)
