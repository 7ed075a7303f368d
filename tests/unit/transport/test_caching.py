"""Caching: headers, ETags, and the response cache."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Hashable
from typing import Any

import pytest

from tests.transport.clients import in_process, until
from tests.transport.toy import Context, CountingMeters, World, make_server, rights_of
from transport import Operation, ServerOptions


@pytest.mark.parametrize(
    ("query", "headers", "expected"),
    [
        ("{ hello }", {}, "public, max-age=5, stale-while-revalidate=30"),
        ('{ item(id: "1") { id } }', {}, "public, max-age=10, stale-while-revalidate=60"),
        ('{ hello item(id: "1") { id } }', {}, "public, max-age=5, stale-while-revalidate=30"),
        ("{ calls }", {}, "public, max-age=1"),
        ("{ ratio(of: 1) }", {}, "no-store"),
        ("{ hello ratio(of: 1) }", {}, "no-store"),
        ("{ me { name } }", {}, "private, no-store"),
        ("{ hello me { name } }", {}, "private, no-store"),
        ("{ ...f } fragment f on Query { me { name } }", {}, "private, no-store"),
        ("{ hello }", {"authorization": "Bearer ada"}, "private, max-age=5, stale-while-revalidate=30"),
        ("{ boom }", {}, "no-store"),
        ("{ __typename }", {}, "no-store"),
    ],
)
async def test_cache_control_is_the_least_of_all_that_is_read_when_got(
    query: str, headers: dict[str, str], expected: str
) -> None:
    async with in_process(make_server()) as client:
        response = await client.get("/", params={"query": query}, headers=headers)
    assert response.headers["cache-control"] == expected


async def test_answer_is_never_cached_when_posted_or_failed() -> None:
    async with in_process(make_server()) as client:
        posted = await client.post("/", json={"query": "{ hello }"})
        failed = await client.get("/", params={"query": "{ nope }"})
    assert posted.headers["cache-control"] == failed.headers["cache-control"] == "no-store"
    assert "etag" not in posted.headers
    assert "etag" not in failed.headers


async def test_304_is_answered_when_the_client_has_the_same_body() -> None:
    async with in_process(make_server()) as client:
        query = {"query": "{ hello }"}
        first = await client.get("/", params=query)
        etag = first.headers["etag"]
        assert etag.startswith('"')
        for tag in (etag, f'"other", {etag}', f"W/{etag}", "*"):
            again = await client.get("/", params=query, headers={"if-none-match": tag})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == etag
            assert again.headers["cache-control"] == first.headers["cache-control"]
        other = await client.get("/", params=query, headers={"if-none-match": '"other"'})
        assert other.status_code == 200
        assert first.headers["vary"] == "Accept, Accept-Encoding, Authorization"


async def test_etag_differs_when_the_encoding_or_the_body_does() -> None:
    async with in_process(make_server()) as client:
        tags = set()
        for encoding in ("identity", "gzip", "br"):
            response = await client.get(
                "/", params={"query": "{ large }"}, headers={"accept-encoding": encoding}
            )
            tags.add(response.headers["etag"])
        response = await client.get("/", params={"query": "{ hello }"})
        tags.add(response.headers["etag"])
    assert len(tags) == 4


async def calls(client: Any, **headers: str) -> int:
    response = await client.get("/", params={"query": "{ calls }"}, headers=headers)
    return int(response.json()["data"]["calls"])


async def test_answer_comes_from_the_cache_when_asked_again_with_equal_rights() -> None:
    world, meters = World(), CountingMeters()
    async with in_process(make_server(world, meters=meters)) as client:
        assert [await calls(client), await calls(client)] == [1, 1]
        assert await calls(client, authorization="Bearer ada") == 2
        assert await calls(client, authorization="Bearer bob") == 3
        assert await calls(client) == 1
    assert [outcome for cache, outcome in meters.cache if cache == "response"] == [
        "miss",
        "hit",
        "miss",
        "miss",
        "hit",
    ]


async def test_answer_is_computed_for_each_when_credentials_have_no_known_rights() -> None:
    async with in_process(make_server(options=ServerOptions())) as client:
        assert [await calls(client), await calls(client)] == [1, 1]
        assert [await calls(client, authorization="Bearer ada") for _ in range(2)] == [2, 3]
        assert [await calls(client, cookie="session=1") for _ in range(2)] == [4, 5]


async def test_update_shows_at_once_when_the_data_version_changes() -> None:
    world = World()

    def version(_context: Any, _operation: Operation, _variables: Any) -> Hashable:
        return world.data_version

    options = ServerOptions(rights=rights_of, data_version=version)
    async with in_process(make_server(world, options=options)) as client:
        assert [await calls(client), await calls(client)] == [1, 1]
        world.data_version += 1
        assert [await calls(client), await calls(client)] == [2, 2]


async def test_answer_is_computed_anew_when_its_time_is_up() -> None:
    world = World()
    options = ServerOptions(rights=rights_of, response_ttl_s=0)
    async with in_process(make_server(world, options=options)) as client:
        assert [await calls(client), await calls(client)] == [1, 2]


async def test_answer_is_computed_once_when_a_hundred_miss_at_once() -> None:
    world = World(gate=asyncio.Event())
    async with in_process(make_server(world)) as client:
        asking = [asyncio.create_task(calls(client)) for _ in range(100)]
        await until(lambda: world.calls == 1)
        asking.pop().cancel()
        assert world.gate is not None
        world.gate.set()
        answers = await asyncio.gather(*asking)
    assert set(answers) == {1}
    assert world.calls == 1


async def test_personal_answer_reaches_no_other_caller_when_only_execution_shows_it() -> None:
    world = World(gate=asyncio.Event())

    def personal(context: Context) -> bool:
        return context.world.calls > 0

    options = ServerOptions(rights=lambda _context: "everybody", is_personal=personal)
    async with in_process(make_server(world, options=options)) as client:
        asking = [asyncio.create_task(calls(client)) for _ in range(2)]
        await until(lambda: world.calls == 1)
        assert world.gate is not None
        world.gate.set()
        assert sorted(await asyncio.gather(*asking)) == [1, 2]
        response = await client.get("/", params={"query": "{ calls }"})
    assert response.json()["data"]["calls"] == 3
    assert response.headers["cache-control"] == "private, no-store"


async def test_private_answer_is_computed_for_each_when_two_people_ask() -> None:
    async with in_process(make_server()) as client:
        names = []
        for token in ("ada", "bob", "ada"):
            headers = {"authorization": f"Bearer {token}"}
            response = await client.get("/", params={"query": "{ me { name } }"}, headers=headers)
            names.append(response.json()["data"]["me"]["name"])
    assert names == ["ada", "bob", "ada"]


async def test_failed_answer_is_not_kept_when_a_public_query_fails() -> None:
    meters = CountingMeters()
    async with in_process(make_server(meters=meters)) as client:
        for _ in range(2):
            await client.get("/", params={"query": "{ calls boom }"})
    assert ("response", "hit") not in meters.cache


async def test_a_variable_that_was_left_out_shares_no_answer_with_a_text() -> None:
    query = "query($name: String) { hello(name: $name) }"
    async with in_process(make_server()) as client:
        greetings = []
        for variables in ({}, {"name": "Undefined"}, {}, {"name": "null"}):
            response = await client.post("/", json={"query": query, "variables": variables})
            greetings.append(response.json()["data"]["hello"])

    assert greetings == ["hello world", "hello Undefined", "hello world", "hello null"]


async def test_answers_are_right_and_not_kept_when_their_variables_are_long() -> None:
    query, meters = "query($name: String!) { hello(name: $name) }", CountingMeters()
    async with in_process(make_server(meters=meters)) as client:
        for _ in range(2):
            name = "x" * 20_000
            response = await client.post("/", json={"query": query, "variables": {"name": name}})
            assert response.json() == {"data": {"hello": f"hello {name}"}}

    assert [which for which in meters.cache if which[0] == "response"] == []


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (math.inf, "public, max-age=5, stale-while-revalidate=30"),
        (40.0, "public, max-age=5, stale-while-revalidate=30"),
        (21.0, "public, max-age=5, stale-while-revalidate=15"),
        (4.5, "public, max-age=3"),
        (1.9, "no-store"),
        (-1.0, "no-store"),
    ],
)
async def test_cache_control_ends_when_what_was_read_is_not_true_any_more(
    seconds: float, expected: str
) -> None:
    async with in_process(make_server(options=ServerOptions(true_seconds=lambda _: seconds))) as client:
        response = await client.get("/", params={"query": "{ hello }"})
    assert response.headers["cache-control"] == expected


async def test_answer_is_computed_again_when_it_is_not_true_any_more() -> None:
    world = World()
    options = ServerOptions(rights=lambda _: "everybody", true_seconds=lambda _: 0.2)
    async with in_process(make_server(world, options=options)) as client:
        first = (await client.get("/", params={"query": "{ calls }"})).json()
        kept = (await client.get("/", params={"query": "{ calls }"})).json()
        await asyncio.sleep(0.25)
        later = (await client.get("/", params={"query": "{ calls }"})).json()
    assert (first, kept, later["data"]["calls"]) == (first, first, 2)


async def test_waiting_caller_is_answered_anew_when_the_shared_answer_came_too_late() -> None:
    world = World()
    world.gate = asyncio.Event()
    options = ServerOptions(rights=lambda _: "everybody", true_seconds=lambda _: -0.01)
    async with in_process(make_server(world, options=options)) as client:
        asking = [asyncio.create_task(client.get("/", params={"query": "{ calls }"})) for _ in range(2)]
        await until(lambda: world.calls == 1)
        world.gate.set()
        answers = [(await each).json()["data"]["calls"] for each in asking]
    assert sorted(answers) == [1, 2]
