"""Whose address counts: the socket's, or what a proxy that we trust says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from app import create_app
from commands.serving import configured
from tests.apis import settings_on

ASK = {"query": "{ serverTime }"}
PROXY, STRANGER = "10.0.0.7", "192.0.2.9"


@asynccontextmanager
async def served_to(caller: str, postgres_url: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The API as uvicorn serves it to one caller: one request a minute for each address."""
    settings = settings_on(postgres_url, redis_url, rate_limit_per_minute="1", trusted_proxies="10.0.0.0/8")
    app = create_app(settings)
    config = configured(app, settings)
    config.load()
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=config.loaded_app, client=(caller, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://boxoffice.test") as client:
            yield client


async def statuses(client: httpx.AsyncClient, *forwarded: str) -> list[int]:
    """The status of a request for each X-Forwarded-For."""
    answers = [
        await client.post("/graphql", json=ASK, headers={"x-forwarded-for": chain}) for chain in forwarded
    ]
    return [answer.status_code for answer in answers]


async def test_each_buyer_counts_when_a_trusted_proxy_names_them(postgres_url: str, redis_url: str) -> None:
    async with served_to(PROXY, postgres_url, redis_url) as client:
        told = await statuses(client, "203.0.113.1", "203.0.113.2", "203.0.113.1")

    assert told == [200, 200, 429]


async def test_invented_addresses_do_not_count_when_the_buyer_wrote_them(
    postgres_url: str, redis_url: str
) -> None:
    async with served_to(PROXY, postgres_url, redis_url) as client:
        told = await statuses(client, "198.51.100.1, 203.0.113.1", "198.51.100.2, 203.0.113.1, 10.1.1.1")

    assert told == [200, 429]


async def test_the_header_is_not_believed_when_a_stranger_sends_it(postgres_url: str, redis_url: str) -> None:
    async with served_to(STRANGER, postgres_url, redis_url) as client:
        told = await statuses(client, "203.0.113.1", "203.0.113.2")

    assert told == [200, 429]
