"""graphql-sse over real sockets: one stream an operation, and one for all, over two processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest

from tests.transport.clients import events_of, listening, next_event, until
from tests.transport.toy import CountingMeters, World, make_server
from transport import Limits, MemoryBus
from transport.sse.positions import in_short

STREAM = {"accept": "text/event-stream"}
TOKEN = "x-graphql-event-stream-token"


@asynccontextmanager
async def posted(
    client: httpx.AsyncClient, body: dict[str, Any], **headers: str
) -> AsyncIterator[tuple[httpx.Response, AsyncIterator[dict[str, str]]]]:
    async with client.stream("POST", "/", json=body, headers={**STREAM, **headers}) as response:
        yield response, events_of(response)


async def test_stream_gives_events_with_ids_then_completes_when_subscribed() -> None:
    async with listening(make_server()) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        body = {"query": "subscription { updates(count: 2) { version } }"}
        async with posted(client, body) as (response, events):
            assert response.headers["content-type"] == "text/event-stream"
            for version in (1, 2):
                event = await next_event(events)
                assert (event["event"], event["id"]) == ("next", str(version))
                assert orjson.loads(event["data"]) == {"data": {"updates": {"version": version}}}
            assert await next_event(events) == {"event": "complete", "data": ""}


async def test_stream_continues_after_the_last_event_when_a_client_reconnects() -> None:
    async with listening(make_server()) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        body = {"query": "subscription { updates(count: 1, sinceVersion: 2) { version } }"}
        async with posted(client, body, **{"last-event-id": "41"}) as (_, events):
            assert (await next_event(events))["id"] == "42"
        async with posted(client, body, **{"last-event-id": "not a version"}) as (_, events):
            assert (await next_event(events))["id"] == "3"


async def test_subscription_streams_over_get_when_the_client_is_an_event_source() -> None:
    async with listening(make_server()) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        query = "subscription { updates(count: 1) { version } }"
        async with client.stream("GET", "/", params={"query": query}, headers=STREAM) as response:
            assert (await next_event(events_of(response)))["id"] == "1"


async def test_query_is_one_event_and_an_error_another_when_only_streams_are_accepted() -> None:
    async with listening(make_server()) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        async with posted(client, {"query": "{ hello }"}) as (_, events):
            data = orjson.loads((await next_event(events))["data"])
            assert data == {"data": {"hello": "hello world"}}
        async with posted(client, {"query": "{ nope }"}) as (response, events):
            assert response.status_code == 200
            data = orjson.loads((await next_event(events))["data"])
            assert data["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
            assert (await next_event(events))["event"] == "complete"
        refused = await client.post(
            "/", json={"query": "{ hello }"}, headers={**STREAM, "authorization": "Bearer bad"}
        )
        assert refused.status_code == 401
        assert refused.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_comments_are_sent_and_the_source_closed_when_the_stream_is_quiet_then_left() -> None:
    world, meters = World(), CountingMeters()
    server = make_server(world, meters=meters, limits=Limits(keep_alive_seconds=0.05))
    async with listening(server) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        async with client.stream(
            "POST", "/", json={"query": "subscription { forever }"}, headers=STREAM
        ) as response:
            lines = response.aiter_lines()
            comments = 0
            while comments < 3:
                comments += await anext(lines) == ":"
            assert meters.open == {"sse": 1}
        await until(lambda: world.closed_sources == 1)
        await until(lambda: meters.open == {"sse": 0})


async def test_stream_ends_without_complete_when_the_server_closes() -> None:
    """`complete` says that nothing follows: a standard client would not come back."""
    server = make_server()
    async with (
        listening(server) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
        posted(client, {"query": "subscription { forever }"}) as (_, events),
    ):
        await next_event(events)
        await server.aclose()
        with pytest.raises(StopAsyncIteration):
            await next_event(events)


@asynccontextmanager
async def processes(count: int, **parts: Any) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Start servers that share nothing but a bus, as processes behind one port do."""
    if count == 0:
        yield []
        return
    parts.setdefault("bus", MemoryBus())
    async with (
        listening(make_server(**parts)) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
        processes(count - 1, **parts) as others,
    ):
        yield [client, *others]


async def submit(client: httpx.AsyncClient, token: str, name: str, query: str) -> httpx.Response:
    body = {"query": query, "extensions": {"operationId": name}}
    return await client.post("/", json=body, headers={TOKEN: token})


async def test_one_stream_serves_all_operations_when_each_request_hits_another_process() -> None:
    async with processes(3) as (first, second, third):
        reserved = await first.put("/")
        assert reserved.status_code == 201
        token = reserved.text
        assert (await submit(third, token, "early", "{ hello }")).status_code == 202

        async with second.stream("GET", "/", headers={**STREAM, TOKEN: token}) as response:
            events = events_of(response)
            early = await next_event(events)
            assert orjson.loads(early["data"]) == {
                "id": "early",
                "payload": {"data": {"hello": "hello world"}},
            }
            assert orjson.loads((await next_event(events))["data"]) == {"id": "early"}

            assert (await submit(first, token, "w", "subscription { forever }")).status_code == 202
            assert orjson.loads((await next_event(events))["data"])["id"] == "w"
            assert (await submit(third, token, "w", "{ hello }")).status_code == 409
            stopped = await third.delete("/", params={"operationId": "w"}, headers={TOKEN: token})
            assert stopped.status_code == 200
            assert (await submit(third, token, "w", "subscription { forever }")).status_code == 202
            assert orjson.loads((await next_event(events))["data"])["id"] == "w"
            again = await second.get("/", headers={**STREAM, TOKEN: token})
            assert again.status_code == 409


async def test_operation_is_refused_with_400_when_its_id_is_longer_than_128_bytes() -> None:
    async with processes(1) as (first,):
        token = (await first.put("/")).text
        kept = await submit(first, token, "é" * 64, "{ hello }")
        refused = await submit(first, token, "é" * 64 + "x", "{ hello }")
        stopped = await first.delete("/", params={"operationId": "x" * 129}, headers={TOKEN: token})

        assert (kept.status_code, refused.status_code, stopped.status_code) == (202, 400, 400)
        assert refused.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_identity_of_the_submitting_request_is_used_when_an_operation_runs_elsewhere() -> None:
    async with processes(2) as (first, second):
        token = (await first.put("/")).text
        async with first.stream("GET", "/", headers={**STREAM, TOKEN: token}) as response:
            body = {"query": "{ me { name } }", "extensions": {"operationId": "me"}}
            headers = {TOKEN: token, "authorization": "Bearer ada"}
            assert (await second.post("/", json=body, headers=headers)).status_code == 202
            event = await next_event(events_of(response))
            assert orjson.loads(event["data"])["payload"] == {"data": {"me": {"name": "ada"}}}


WATCH = "subscription { watched { version } }"
ASKED = in_short({"query": WATCH, "document_hash": None, "operation_name": None, "variables": {}})


def versions(event_id: str) -> str:
    """A stream's event id without what was asked."""
    return event_id.replace(f".{ASKED}", "")


async def test_operations_resume_where_they_were_when_a_client_opens_a_new_stream_elsewhere() -> None:
    watch = WATCH
    async with processes(2, world=World()) as (first, second):
        token = (await first.put("/")).text
        async with first.stream("GET", "/", headers={**STREAM, TOKEN: token}) as response:
            events = events_of(response)
            assert (await submit(second, token, "a b", watch)).status_code == 202
            seen = [versions((await next_event(events))["id"]) for _ in range(2)]
            assert seen == ["a+b=1", "a+b=2"]
            assert (await submit(first, token, "c", watch)).status_code == 202
            seen = [versions((await next_event(events))["id"]) for _ in range(2)]
            assert seen == ["a+b=2&c=1", "a+b=2&c=2"]

        token = (await first.put("/")).text
        headers = {**STREAM, TOKEN: token, "last-event-id": f"a+b=40.{ASKED}&c=70.{ASKED}"}
        assert (await submit(first, token, "c", watch)).status_code == 202
        async with second.stream("GET", "/", headers=headers) as response:
            events = events_of(response)
            seen = [versions((await next_event(events))["id"]) for _ in range(2)]
            assert seen == ["c=71", "c=72"]
            assert (await submit(first, token, "a b", watch)).status_code == 202
            assert versions((await next_event(events))["id"]) == "c=72&a+b=41"
            assert (await submit(first, token, "new", watch)).status_code == 202
            await next_event(events)
            assert "new=1" in (await next_event(events))["id"]


@pytest.mark.parametrize("name", ["a", "b"])
async def test_an_operation_starts_afresh_when_its_name_was_another_ones_before(name: str) -> None:
    async with processes(1, world=World()) as (client,):
        token = (await client.put("/")).text
        headers = {**STREAM, TOKEN: token, "last-event-id": f"a=40.{ASKED}&b=40"}
        async with client.stream("GET", "/", headers=headers) as response:
            other = "subscription { again: watched { version } }"
            assert (await submit(client, token, name, other)).status_code == 202
            assert (await next_event(events_of(response)))["id"].startswith(f"{name}=1.")


@pytest.mark.parametrize(
    ("sent", "first_id"),
    [
        ("41", "w=42"),
        (f"w=41.{ASKED}", "w=42"),
        ("w=41.00000000", "w=1"),
        ("w=41", "w=1"),
        (f"x=41.{ASKED}", "w=1"),
        ("=%", "w=1"),
    ],
)
async def test_operation_resumes_when_its_own_request_names_the_last_event(sent: str, first_id: str) -> None:
    async with processes(2) as (first, second):
        token = (await first.put("/")).text
        async with first.stream("GET", "/", headers={**STREAM, TOKEN: token}) as response:
            body = {"query": WATCH, "extensions": {"operationId": "w"}}
            headers = {TOKEN: token, "last-event-id": sent}
            assert (await second.post("/", json=body, headers=headers)).status_code == 202
            assert versions((await next_event(events_of(response)))["id"]) == first_id


async def test_nothing_readable_travels_when_an_operation_crosses_the_bus() -> None:
    class Overheard(MemoryBus):
        heard: bytes = b""

        async def publish(self, channel: str, message: bytes) -> None:
            Overheard.heard += channel.encode() + message
            await super().publish(channel, message)

    async with processes(2, bus=Overheard()) as (first, second):
        token = (await first.put("/")).text
        body = {"query": "{ hello }", "extensions": {"operationId": "me"}}
        await second.post("/", json=body, headers={TOKEN: token, "authorization": "Bearer grace"})
    assert Overheard.heard
    assert all(secret.encode() not in Overheard.heard for secret in (token, "grace", "hello"))


async def test_a_stream_is_unavailable_at_once_when_the_bus_is_away() -> None:
    class Away(MemoryBus):
        @asynccontextmanager
        async def subscribe(self, channel: str) -> AsyncIterator[AsyncIterator[bytes]]:
            raise ConnectionError(channel)
            yield

    async with processes(1, bus=Away()) as (client,), asyncio.timeout(5):
        for response in (await client.put("/"), await submit(client, "of another", "a", "{ hello }")):
            assert response.status_code == 503
            assert response.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"


async def test_request_is_refused_with_a_code_when_its_stream_or_operation_is_unknown() -> None:
    async with processes(1) as (client,):
        token = (await client.put("/")).text
        cases = [
            (await submit(client, "unknown", "a", "{ hello }"), 404, "NOT_FOUND"),
            (await client.get("/", headers={**STREAM, TOKEN: "unknown"}), 404, "NOT_FOUND"),
            (await client.post("/", json={"query": "{ hello }"}, headers={TOKEN: token}), 400, "BAD_REQUEST"),
            (await submit(client, token, "a", "{ nope }"), 400, "GRAPHQL_VALIDATION_FAILED"),
            (await client.delete("/", headers={TOKEN: token}), 400, "BAD_REQUEST"),
        ]
        for response, status, code in cases:
            assert response.status_code == status
            assert response.json()["errors"][0]["extensions"]["code"] == code


async def test_stopping_is_refused_when_the_callers_token_is_invalid() -> None:
    async with processes(1) as (client,):
        token = (await client.put("/")).text
        forged = {TOKEN: token, "authorization": "nonsense"}
        refused = await client.delete("/", params={"operationId": "w"}, headers=forged)

    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (
        401,
        "UNAUTHENTICATED",
    )


async def test_reservation_expires_when_it_is_not_opened() -> None:
    async with processes(1, limits=Limits(reservation_seconds=0.01)) as (client,):
        token = (await client.put("/")).text
        statuses: list[int] = []
        async with asyncio.timeout(10):
            while 404 not in statuses:
                statuses.append((await submit(client, token, str(len(statuses)), "{ hello }")).status_code)
        assert set(statuses) <= {202, 404}


async def test_gauge_falls_and_token_dies_when_the_client_leaves_its_single_stream() -> None:
    world, meters = World(), CountingMeters()
    async with processes(1, world=world, meters=meters) as (client,):
        token = (await client.put("/")).text
        async with client.stream("GET", "/", headers={**STREAM, TOKEN: token}) as response:
            await submit(client, token, "w", "subscription { forever }")
            await next_event(events_of(response))
            assert meters.open == {"sse_single": 1}
        await until(lambda: world.closed_sources == 1)
        assert meters.open == {"sse_single": 0}
        assert (await submit(client, token, "x", "{ hello }")).status_code == 404


@pytest.mark.parametrize(
    ("limits", "code", "limit"),
    [
        (Limits(subscription_cost=1), "TOO_MANY_OPERATIONS", "subscription_cost"),
        (Limits(held_bytes=0), "OVERLOADED", "memory"),
    ],
)
async def test_operations_of_a_stream_are_refused_and_counted_when_a_bound_is_reached(
    limits: Limits, code: str, limit: str
) -> None:
    world, meters = World(), CountingMeters()
    async with processes(1, world=world, meters=meters, limits=limits) as (client,):
        token = (await client.put("/")).text
        async with client.stream("GET", "/", headers={**STREAM, TOKEN: token}):
            for name in "abcdefghij":
                await submit(client, token, name, "subscription { forever }")
            await until(lambda: limit in meters.limits and code in meters.refusals)

    assert (set(meters.limits), set(meters.refusals)) == ({limit}, {code})


async def test_one_of_two_is_refused_when_both_open_a_stream_at_the_same_time() -> None:
    async with processes(1) as (client,):
        token = (await client.put("/")).text
        statuses: list[int] = []

        async def open_it() -> None:
            async with client.stream("GET", "/", headers={**STREAM, TOKEN: token}) as response:
                statuses.append(response.status_code)
                if response.status_code == 200:
                    await submit(client, token, "a", "{ hello }")
                    assert (await next_event(events_of(response)))["event"] == "next"

        await asyncio.gather(open_it(), open_it())

    assert sorted(statuses) == [200, 409]
