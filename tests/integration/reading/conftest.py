"""One API for all the tests of a file."""

from collections.abc import AsyncIterator

import pytest

from devservices.valkey import Valkey
from tests.apis import Api, api_on


@pytest.fixture(scope="module")
async def api(module_postgres_url: str, redis_server: Valkey) -> AsyncIterator[Api]:
    async with api_on(module_postgres_url, redis_server.url()) as api:
        yield api
