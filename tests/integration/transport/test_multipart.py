"""Subscriptions as multipart/mixed, the protocol that Apollo's clients speak by default."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson

from tests.transport.clients import listening, until
from tests.transport.toy import CountingMeters, World, make_server
from transport import Limits

ACCEPT = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0, application/json"
BOUNDARY = b"\r\n--graphql"


@asynccontextmanager
async def subscribed(
    client: httpx.AsyncClient, query: str, accept: str = ACCEPT, **headers: str
) -> AsyncIterator[httpx.Response]:
    sent = {"accept": accept, **headers}
    async with client.stream("POST", "/", json={"query": query}, headers=sent) as response:
        yield response


async def parts_of(response: httpx.Response) -> AsyncIterator[Any]:
    """The parts as a client takes them: whole when the next boundary has come; "end" after the last."""
    text = b""
    assert response.headers["content-type"].startswith('multipart/mixed; boundary="graphql"')
    chunks = response.aiter_raw()
    while True:
        head, found, rest = text.partition(BOUNDARY)
        if found:
            text = rest
            if head:
                headers, _, body = head.partition(b"\r\n\r\n")
                assert headers == b"\r\ncontent-type: application/json"
                yield orjson.loads(body)
            continue
        if text.startswith(b"--"):
            yield "end"
            return
        try:
            text += await anext(chunks)
        except StopAsyncIteration:
            return


async def test_every_update_is_a_part_and_the_end_is_sent_when_subscribed() -> None:
    meters = CountingMeters()
    async with (
        listening(make_server(meters=meters)) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
        subscribed(client, "subscription { updates(count: 2) { version } }") as response,
    ):
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"
        assert [part async for part in parts_of(response)] == [
            {"payload": {"data": {"updates": {"version": 1}}}},
            {"payload": {"data": {"updates": {"version": 2}}}},
            "end",
        ]


async def test_an_empty_part_is_sent_and_the_source_closed_when_it_is_quiet_then_left() -> None:
    world, meters = World(), CountingMeters()
    server = make_server(world, meters=meters, limits=Limits(keep_alive_seconds=0.05))
    async with listening(server) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        async with subscribed(client, "subscription { forever }") as response:
            parts = parts_of(response)
            async with asyncio.timeout(5):
                assert await anext(parts) == {"payload": {"data": {"forever": 1}}}
                assert await anext(parts) == {}
            assert meters.open["multipart"] == 1
        await until(lambda: meters.open["multipart"] == 0)


async def test_a_document_error_is_json_and_a_query_is_no_stream_when_both_are_taken() -> None:
    async with listening(make_server()) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        async with subscribed(client, "subscription { nope }") as response:
            body = orjson.loads(await response.aread())
            assert body["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        async with subscribed(client, "{ hello }") as response:
            assert orjson.loads(await response.aread()) == {"data": {"hello": "hello world"}}
        async with subscribed(client, "subscription { updates { version } }", "multipart/mixed") as response:
            assert response.status_code == 406


async def test_an_error_is_sent_beside_no_payload_when_only_multipart_is_taken() -> None:
    async with (
        listening(make_server()) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
        subscribed(client, "subscription { nope }", 'multipart/mixed;subscriptionSpec="1.0"') as response,
    ):
        first, end = [part async for part in parts_of(response)]
    assert (first["payload"], end) == (None, "end")
    assert first["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_the_stream_breaks_off_without_its_end_when_the_server_stops() -> None:
    server = make_server()
    async with (
        listening(server) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
        subscribed(client, "subscription { forever }") as response,
    ):
        asyncio.get_running_loop().call_later(0.2, lambda: asyncio.ensure_future(server.aclose()))
        async with asyncio.timeout(5):
            assert [part async for part in parts_of(response)] == [{"payload": {"data": {"forever": 1}}}]


async def test_an_expired_token_is_the_last_word_when_a_subscription_outlives_it() -> None:
    async with (
        listening(make_server()) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
        subscribed(client, "subscription { forever }", authorization="Bearer ann for 0.3") as response,
    ):
        async with asyncio.timeout(5):
            _, last, end = [part async for part in parts_of(response)]
    assert (last["payload"], end) == (None, "end")
    assert last["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
