"""Whose address counts: the socket's, or what a proxy that we trust says."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest import mock

import httpx
import pytest
import uvicorn

from app import create_app
from commands.serve import configured
from endpoints.trust import client_behind
from tests.apis import settings_on
from tests.transport.clients import until

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


@pytest.mark.parametrize("proxy", [PROXY, f"::ffff:{PROXY}", "::ffff:a00:7"])
async def test_each_buyer_counts_when_a_trusted_proxy_names_them(
    proxy: str, postgres_url: str, redis_url: str
) -> None:
    async with served_to(proxy, postgres_url, redis_url) as client:
        received = await statuses(client, "203.0.113.1", "203.0.113.2", "203.0.113.1")

    assert received == [200, 200, 429]


async def test_invented_addresses_do_not_count_when_the_buyer_wrote_them(
    postgres_url: str, redis_url: str
) -> None:
    async with served_to(PROXY, postgres_url, redis_url) as client:
        received = await statuses(client, "198.51.100.1, 203.0.113.1", "198.51.100.2, 203.0.113.1, 10.1.1.1")

    assert received == [200, 429]


async def test_the_header_is_not_believed_when_a_stranger_sends_it(postgres_url: str, redis_url: str) -> None:
    async with served_to(STRANGER, postgres_url, redis_url) as client:
        received = await statuses(client, "203.0.113.1", "203.0.113.2")

    assert received == [200, 429]


def test_the_fast_path_finds_the_same_address() -> None:
    client_of = client_behind("10.0.0.0/8")
    chain = [(b"x-forwarded-for", b"198.51.100.1, 203.0.113.1, 10.1.1.1")]

    assert client_of(PROXY, chain) == "203.0.113.1"
    assert client_of(f"::ffff:{PROXY}", chain) == "203.0.113.1"
    assert (
        client_of(PROXY, [(b"x-forwarded-for", b"203.0.113.1:4711, [::ffff:10.1.1.1]:80")]) == "203.0.113.1"
    )
    assert client_of(PROXY, []) == PROXY
    assert client_of(STRANGER, chain) == STRANGER


async def test_each_buyer_counts_when_requests_take_the_fast_path(postgres_url: str, redis_url: str) -> None:
    settings = settings_on(postgres_url, redis_url, rate_limit_per_minute="1", trusted_proxies="127.0.0.0/8")
    app = create_app(settings)
    server = uvicorn.Server(configured(app, settings))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        with mock.patch.object(server, "capture_signals", contextlib.nullcontext):
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            await until(lambda: server.started)
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
                received = await statuses(client, "203.0.113.1", "203.0.113.2", "203.0.113.1")
            server.should_exit = True
            await serving

    assert received == [200, 200, 429]
