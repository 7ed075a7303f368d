"""One house a test."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.integration.waiting_room.house import House, house_on


@pytest.fixture
async def house(postgres_url: str, redis_url: str) -> AsyncIterator[House]:
    """A house whose event is on sale."""
    async with house_on(postgres_url, redis_url) as house:
        yield house


@pytest.fixture
async def early_house(postgres_url: str, redis_url: str) -> AsyncIterator[House]:
    """A house whose sale starts in an hour."""
    async with house_on(postgres_url, redis_url, on_sale_in=timedelta(hours=1)) as house:
        yield house
