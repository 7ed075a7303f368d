"""Two offices of one house: what two API processes are to each other, on the same real parts."""

from collections.abc import AsyncIterator

import pytest

from payments.stripe_gateway import StripeGateway
from services.context import Office
from tests.houses import ManualClock, office_on
from tests.integration.ordering.conftest import clock, gateway, stripe_server

__all__ = ["clock", "gateway", "offices", "stripe_server"]


@pytest.fixture
async def offices(
    postgres_url: str,
    redis_url: str,
    gateway: StripeGateway,
    clock: ManualClock,
) -> AsyncIterator[tuple[Office, Office]]:
    """Two offices with their own pools, caches and connections."""
    async with (
        office_on(postgres_url, redis_url, gateway, clock) as one,
        office_on(postgres_url, redis_url, gateway, clock) as other,
    ):
        yield one, other
