"""Two contexts on the same real parts, as in two API processes."""

from collections.abc import AsyncIterator

import pytest

from payments.stripe_gateway import StripeGateway
from services.context import ServiceContext
from tests.events import ManualClock, service_context_on
from tests.integration.ordering.conftest import clock, gateway, stripe_server

__all__ = ["clock", "contexts", "gateway", "stripe_server"]


@pytest.fixture
async def contexts(
    postgres_url: str,
    redis_url: str,
    gateway: StripeGateway,
    clock: ManualClock,
) -> AsyncIterator[tuple[ServiceContext, ServiceContext]]:
    """Two contexts with their own pools, caches and connections."""
    async with (
        service_context_on(postgres_url, redis_url, gateway, clock) as one,
        service_context_on(postgres_url, redis_url, gateway, clock) as other,
    ):
        yield one, other
