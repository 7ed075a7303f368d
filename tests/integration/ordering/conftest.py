"""An context on PostgreSQL, Valkey and the local Stripe, all real."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from devservices.local_stripe import LocalStripe
from payments.stripe_gateway import StripeGateway
from services.context import ServiceContext
from tests.events import ManualClock, service_context_on


@pytest.fixture(scope="session")
def stripe_server(servers_home: Path) -> Iterator[LocalStripe]:
    """The local Stripe; its webhooks go nowhere, so what a test sees it did itself."""
    server = LocalStripe(servers_home, "http://127.0.0.1:9/webhooks/stripe", "whsec_local_test")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def gateway(stripe_server: LocalStripe) -> AsyncIterator[StripeGateway]:
    gateway = StripeGateway("sk_test_local", api_base=stripe_server.url())
    yield gateway
    await gateway.close()


@pytest.fixture
async def context(
    postgres_url: str, redis_url: str, gateway: StripeGateway, clock: ManualClock
) -> AsyncIterator[ServiceContext]:
    async with service_context_on(postgres_url, redis_url, gateway, clock) as context:
        yield context
