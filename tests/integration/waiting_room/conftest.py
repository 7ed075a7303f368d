"""One venue a test."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.integration.waiting_room.venue import Venue, venue_on


@pytest.fixture
async def venue(postgres_url: str, redis_url: str) -> AsyncIterator[Venue]:
    """A venue whose event is on sale."""
    async with venue_on(postgres_url, redis_url) as venue:
        yield venue


@pytest.fixture
async def early_venue(postgres_url: str, redis_url: str) -> AsyncIterator[Venue]:
    """A venue whose sale starts in an hour."""
    async with venue_on(postgres_url, redis_url, on_sale_in=timedelta(hours=1)) as venue:
        yield venue
