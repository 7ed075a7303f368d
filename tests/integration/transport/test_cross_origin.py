"""Pages of other origins: an allowed one reads every answer, errors too; another one gets no grant."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.transport.servers import SHOP, ToyServer, toy_server
from transport import LoadLimits, ServerOptions
from transport.http.cross_origin import CrossOrigin

OTHER = "https://other.example"
JSON = {"content-type": "application/json"}
EXPOSED = "etag, retry-after, x-request-id"
# As the browser sends them, in lower case and in order, for what these clients set themselves.
PREFLIGHTS = {
    "Apollo Client, urql, Relay": ("POST", "authorization,content-type"),
    "Apollo Client with a name": (
        "POST",
        "apollographql-client-name,apollographql-client-version",
    ),
    "persisted queries by GET": ("GET", "apollo-require-preflight,content-type"),
    "graphql-sse, distinct": ("POST", "authorization,content-type"),
    "graphql-sse, single": ("PUT", "authorization,x-graphql-event-stream-token"),
    "graphql-sse, stop": ("DELETE", "x-graphql-event-stream-token"),
    "EventSource with a polyfill": ("GET", "cache-control,last-event-id"),
    "tracing": ("POST", "baggage,content-type,traceparent,tracestate"),
}


def granted(response: httpx.Response) -> tuple[str | None, str | None]:
    return response.headers.get("access-control-allow-origin"), response.headers.get("vary")


async def preflight(here: ToyServer, origin: str, method: str, headers: str) -> httpx.Response:
    asked = {"origin": origin, "access-control-request-method": method}
    return await here.client.options("/graphql", headers={**asked, "access-control-request-headers": headers})


@pytest.mark.parametrize("client", PREFLIGHTS)
async def test_a_preflight_of_an_allowed_page_is_granted(client: str) -> None:
    method, headers = PREFLIGHTS[client]
    async with toy_server() as here:
        answer = await preflight(here, SHOP, method, headers)

    assert answer.status_code == 204
    assert granted(answer) == (SHOP, "origin")
    assert method in answer.headers["access-control-allow-methods"].split(", ")
    assert {*headers.split(",")} <= {*answer.headers["access-control-allow-headers"].split(", ")}
    assert answer.headers["access-control-max-age"] == "86400"
    assert "access-control-allow-credentials" not in answer.headers


async def test_a_preflight_of_another_page_is_granted_nothing() -> None:
    async with toy_server() as here:
        answer = await preflight(here, OTHER, "POST", "content-type")

    assert (answer.status_code, granted(answer)) == (204, (None, "origin"))
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def boom(here: ToyServer) -> httpx.Response:
    return await here.post('{"query":"{ hello boom }"}', {"origin": SHOP})


async def badly_signed(here: ToyServer) -> httpx.Response:
    return await here.post('{"query":"{ hello }"}', {"origin": SHOP, "authorization": "Bearer bad"})


async def too_large(here: ToyServer) -> httpx.Response:
    return await here.post(f'{{"query":"{{ hello }}{" " * 1_000_001}"}}', {"origin": SHOP})


async def wrong_media(here: ToyServer) -> httpx.Response:
    headers = {"origin": SHOP, "content-type": "text/plain"}
    return await here.client.post("/graphql", content="x", headers=headers)


async def wrong_method(here: ToyServer) -> httpx.Response:
    return await here.client.patch("/graphql", headers={"origin": SHOP})


FAULTS: dict[str, tuple[Any, int]] = {
    "a failing field": (boom, 200),
    "a bad token": (badly_signed, 401),
    "a large body": (too_large, 413),
    "a wrong media type": (wrong_media, 415),
    "a wrong method": (wrong_method, 405),
}


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("fault", FAULTS)
async def test_an_allowed_page_reads_errors_too(fault: str, fast: bool) -> None:
    ask, status = FAULTS[fault]
    async with toy_server(fast=fast) as here:
        answer = await ask(here)

    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["access-control-expose-headers"] == EXPOSED
    assert answer.headers.get_list("vary", split_commas=True).count("origin") == 1


async def test_an_allowed_page_reads_that_it_was_refused_for_overload() -> None:
    async with toy_server(limits=LoadLimits(in_flight=8, queue=0)) as here:
        here.shedder.announced = 1_000
        answer = await here.post('{"query":"{ hello }"}', {"origin": SHOP})
        here.shedder.announced = 0

    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (503, SHOP)
    assert "retry-after" in answer.headers


async def test_a_shared_cache_keeps_the_answers_of_origins_apart() -> None:
    """One page's grant, stored by a cache, must not be what another page gets."""
    async with toy_server(options=ServerOptions()) as here:
        answers = [
            await here.post('{"query":"{ hello }"}', headers)
            for headers in ({}, {"origin": OTHER}, {"origin": SHOP})
        ]

    assert ["origin" in answer.headers["vary"] for answer in answers] == [True, True, True]
    assert [granted(answer)[0] for answer in answers] == [None, None, SHOP]


def test_any_origin_is_granted_without_vary_when_all_are_allowed() -> None:
    policy = CrossOrigin(["*"], ["/graphql"])

    assert dict(policy.headers(OTHER))[b"access-control-allow-origin"] == b"*"
    assert b"vary" not in dict(policy.headers(OTHER))
    assert policy.headers_in("/graphql/stream", [(b"origin", b"x")]) == policy.headers(None)
    assert policy.headers_in("/graphqlx", [(b"origin", b"x")]) == ()


def test_nothing_is_said_to_anybody_when_no_origin_is_allowed() -> None:
    policy = CrossOrigin([], ["/graphql"])

    assert policy.headers_in("/graphql", [(b"origin", SHOP.encode())]) == ()
