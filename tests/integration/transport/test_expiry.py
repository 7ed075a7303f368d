"""A token that expires while a stream is open: the client gets an error, and the stream ends."""

from __future__ import annotations

import asyncio

import httpx
import orjson

from tests.transport.clients import events_of, listening, next_event, until, websocket
from tests.transport.toy import CountingMeters, World, make_server

STREAM = {"accept": "text/event-stream"}
TOKEN = "x-graphql-event-stream-token"
FOREVER = "subscription { forever }"
SHORT = "Bearer ada for 0.3"
MINUTE = "Bearer ada for 60"


async def test_socket_gets_an_error_and_is_closed_with_4403_when_its_token_ends() -> None:
    world, meters = World(), CountingMeters()
    async with listening(make_server(world, meters=meters)) as address, websocket(address) as socket:
        await socket.initialise({"Authorization": SHORT})
        for name in ("a", "b"):
            await socket.subscribe(name, FOREVER)
            assert (await socket.receive())["type"] == "next"
        for name in ("a", "b"):
            received = await socket.receive()
            assert (received["type"], received["id"]) == ("error", name)
            assert received["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert await socket.close_code() == 4403
        assert socket.connection.close_reason == "Forbidden"
        await until(lambda: world.closed_sources == 2 and meters.open == {"websocket": 0})
        assert meters.refusals == ["UNAUTHENTICATED"]


async def test_socket_stays_open_when_its_token_is_valid_or_there_is_none() -> None:
    async with listening(make_server()) as address:
        async with (
            websocket(address) as short,
            websocket(address) as anonymous,
            websocket(address) as signed_in,
        ):
            await short.initialise({"Authorization": SHORT})
            await anonymous.initialise()
            await signed_in.initialise({"Authorization": MINUTE})
            assert await short.close_code() == 4403
            for socket in (anonymous, signed_in):
                await socket.subscribe("q", "{ hello }")
                assert (await socket.receive())["payload"] == {"data": {"hello": "hello world"}}


async def test_query_answers_before_the_close_when_it_began_with_a_valid_token() -> None:
    world, meters = World(), CountingMeters()
    async with listening(make_server(world, meters=meters)) as address, websocket(address) as socket:
        world.gate = asyncio.Event()
        await socket.initialise({"Authorization": SHORT})
        await socket.subscribe("q", "{ calls }")
        await until(lambda: world.calls == 1)
        await until(lambda: meters.refusals == ["UNAUTHENTICATED"])
        world.gate.set()
        assert (await socket.receive())["payload"] == {"data": {"calls": 1}}
        assert await socket.receive() == {"id": "q", "type": "complete"}
        assert await socket.close_code() == 4403


async def test_event_stream_gets_an_error_and_completes_when_its_token_ends() -> None:
    world = World()
    async with (
        listening(make_server(world)) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
    ):
        headers = {**STREAM, "authorization": SHORT}
        async with client.stream("POST", "/", json={"query": FOREVER}, headers=headers) as response:
            events = events_of(response)
            assert orjson.loads((await next_event(events))["data"]) == {"data": {"forever": 1}}
            received = orjson.loads((await next_event(events))["data"])
            assert received["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
            assert await next_event(events) == {"event": "complete", "data": ""}
            assert [event async for event in events] == []
        await until(lambda: world.closed_sources == 1)


async def test_one_operation_ends_when_the_token_it_was_sent_with_ends() -> None:
    world = World()
    async with (
        listening(make_server(world)) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
    ):
        token = (await client.put("/")).text
        async with client.stream("GET", "/", headers={**STREAM, TOKEN: token}) as response:
            events = events_of(response)
            for name, bearer in (("short", SHORT), ("long", MINUTE)):
                body = {"query": FOREVER, "extensions": {"operationId": name}}
                headers = {TOKEN: token, "authorization": bearer}
                assert (await client.post("/", json=body, headers=headers)).status_code == 202
                assert orjson.loads((await next_event(events))["data"])["id"] == name
            received = orjson.loads((await next_event(events))["data"])
            assert received["id"] == "short"
            assert received["payload"]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
            assert orjson.loads((await next_event(events))["data"]) == {"id": "short"}
            assert world.closed_sources == 1


async def test_whole_stream_ends_when_the_token_that_opened_it_ends() -> None:
    async with listening(make_server()) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        token = (await client.put("/")).text
        headers = {**STREAM, TOKEN: token, "authorization": SHORT}
        async with client.stream("GET", "/", headers=headers) as response:
            events = events_of(response)
            body = {"query": FOREVER, "extensions": {"operationId": "w"}}
            assert (await client.post("/", json=body, headers={TOKEN: token})).status_code == 202
            assert (await next_event(events))["event"] == "next"
            received = orjson.loads((await next_event(events))["data"])
            assert received["payload"]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
            assert (await next_event(events))["event"] == "complete"
            assert [event async for event in events] == []
        assert (await client.post("/", json=body, headers={TOKEN: token})).status_code == 404
