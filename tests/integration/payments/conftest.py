"""One local Stripe a session, its faults cleared for each test; the SDK and the gateway on it."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio
import stripe

from payments.stripe_gateway import StripeGateway
from tests.local_stripe import API_KEY, Control, Endpoint, StripeProcess


@pytest.fixture(scope="session")
def stripe_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeProcess]:
    process = StripeProcess(tmp_path_factory.mktemp("stripe"), "--later-seconds", "600")
    process.start()
    yield process
    process.stop()


@pytest_asyncio.fixture(scope="session")
async def shared_endpoint() -> AsyncIterator[Endpoint]:
    endpoint = Endpoint()
    await endpoint.open()
    yield endpoint
    await endpoint.close()


@pytest_asyncio.fixture
async def control(stripe_process: StripeProcess) -> AsyncIterator[Control]:
    control = Control(stripe_process.url)
    yield control
    await control.clear_faults()
    await control.point_webhooks(None)
    await control.client.aclose()


@pytest_asyncio.fixture
async def endpoint(control: Control, shared_endpoint: Endpoint) -> AsyncIterator[Endpoint]:
    """Webhooks arrive here while the test runs."""
    await control.point_webhooks(shared_endpoint.url)
    yield shared_endpoint
    shared_endpoint.answers.clear()
    shared_endpoint.hooks.clear()


@pytest_asyncio.fixture
async def sdk(stripe_process: StripeProcess) -> AsyncIterator[stripe.StripeClient]:
    """The official SDK as it comes, without retries of its own."""
    http_client = stripe.HTTPXClient()
    yield stripe.StripeClient(
        API_KEY,
        base_addresses={"api": stripe_process.url},
        http_client=http_client,
        max_network_retries=0,
    )
    await http_client.close_async()  # type: ignore[no-untyped-call]


@pytest_asyncio.fixture
async def raw(stripe_process: StripeProcess) -> AsyncIterator[httpx.AsyncClient]:
    """HTTP without the SDK, with the secret key."""
    headers = {"Authorization": f"Bearer {API_KEY}"}
    async with httpx.AsyncClient(base_url=stripe_process.url, headers=headers, trust_env=False) as client:
        yield client


@pytest_asyncio.fixture
async def gateway(stripe_process: StripeProcess) -> AsyncIterator[StripeGateway]:
    gateway = StripeGateway(API_KEY, api_base=stripe_process.url)
    yield gateway
    await gateway.close()
