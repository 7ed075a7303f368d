"""The bounds of connections: how many a network opens, and what each may hold."""

from __future__ import annotations

import asyncio

import httpx

from tests.transport.clients import events_of, in_process, listening, next_event, until, websocket
from tests.transport.toy import CountingMeters, World, make_server
from transport import ConnectionInfo, Limits, ServerOptions

FED = "subscription { fed { version padding } }"
STREAM = {"accept": "text/event-stream"}
TWO = Limits(connections_per_network=2)


def by_client(info: ConnectionInfo) -> str | None:
    return info.client


def for_none(_: ConnectionInfo) -> str | None:
    return None


async def test_a_socket_is_closed_with_1013_when_its_network_has_too_many() -> None:
    meters = CountingMeters()
    server = make_server(limits=TWO, options=ServerOptions(network=by_client), meters=meters)
    async with listening(server) as address, websocket(address) as first:
        await first.initialise()
        async with websocket(address) as second:
            await second.initialise()
            async with websocket(address) as third:
                assert await third.close_code() == 1013
            await first.subscribe("a", "{ hello }")
            assert (await first.receive())["type"] == "next"
        async with websocket(address) as again:
            await again.initialise()

    assert (meters.refusals, meters.limits) == (["TOO_MANY_CONNECTIONS"], ["network_connections"])


async def test_sockets_are_not_counted_when_their_network_is_not_known() -> None:
    server = make_server(limits=TWO, options=ServerOptions(network=for_none))
    async with listening(server) as address, websocket(address), websocket(address):
        async with websocket(address) as third:
            await third.initialise()


async def test_event_streams_are_refused_with_429_when_a_network_has_too_many() -> None:
    server = make_server(limits=TWO, options=ServerOptions(network=by_client))
    body = {"query": "subscription { forever }"}
    async with (
        listening(server) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
        client.stream("POST", "/", json=body, headers=STREAM) as response,
    ):
        events = events_of(response)
        await next_event(events)
        assert (await client.put("/")).status_code == 201
        refused = await client.put("/")
        also = await client.post("/", json=body, headers=STREAM)

    assert (refused.status_code, also.status_code) == (429, 429)
    assert refused.json()["errors"][0]["extensions"]["code"] == "TOO_MANY_CONNECTIONS"
    assert int(refused.headers["retry-after"]) == 10


async def test_reserved_streams_no_longer_count_when_they_have_lapsed() -> None:
    limits = Limits(connections_per_network=2, reservation_seconds=0.05)
    server = make_server(limits=limits, options=ServerOptions(network=by_client))
    async with in_process(server) as client:
        assert [(await client.put("/")).status_code for _ in range(3)] == [201, 201, 429]

        async def reserved() -> bool:
            return (await client.put("/")).status_code == 201

        async with asyncio.timeout(10):
            while not await reserved():
                await asyncio.sleep(0.01)


async def test_a_subscription_is_refused_when_those_of_its_socket_cost_too_much_together() -> None:
    world, meters = World(), CountingMeters()
    server = make_server(world, limits=Limits(subscription_cost=5), meters=meters)
    async with listening(server) as address, websocket(address) as socket:
        await socket.initialise()
        await socket.subscribe("a", FED)
        assert (await socket.receive())["type"] == "next"
        await socket.subscribe("b", FED)
        refused = await socket.receive()
        assert (refused["id"], refused["type"]) == ("b", "error")
        assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"
        assert (len(world.sources), meters.limits) == (1, ["subscription_cost"])
        await socket.send({"id": "a", "type": "complete"})
        await socket.subscribe("b", FED)
        assert (await socket.receive())["type"] == "next"


async def test_operations_are_refused_alone_when_there_is_no_memory_for_them() -> None:
    meters = CountingMeters()
    server = make_server(limits=Limits(held_bytes=0), meters=meters)
    async with listening(server) as address, websocket(address) as socket:
        await socket.initialise()
        for name in "abcdefgh":
            await socket.subscribe(name, "subscription { forever }", variables={}, note="x" * 100)
        messages = [await socket.receive() for _ in range(8)]
        kinds = [message["type"] for message in messages]
        codes = {m["payload"][0]["extensions"]["code"] for m in messages if m["type"] == "error"}

    assert kinds.count("error") > 0
    assert (codes, set(meters.limits)) == ({"OVERLOADED"}, {"memory"})


async def test_a_long_message_ends_its_connection_when_there_is_no_memory_for_it() -> None:
    server = make_server(limits=Limits(held_bytes=100_000))
    async with listening(server) as address:
        async with websocket(address) as socket:
            await socket.initialise()
            await socket.subscribe("a", "{ hello }", note="x" * 10_000)
            assert (await socket.receive())["type"] == "next"
            await socket.receive()
            await socket.subscribe("b", "{ hello }", note="x" * 900_000)
            assert await socket.close_code() in (1013, 1006)
        async with websocket(address) as another:
            await another.initialise()


async def test_nothing_is_held_when_hostile_sockets_are_gone() -> None:
    world, meters = World(), CountingMeters()
    server = make_server(world, limits=Limits(held_bytes=150_000), meters=meters)
    async with listening(server) as address:
        for _ in range(3):
            async with websocket(address) as socket:
                await socket.initialise()
                for number in range(40):
                    await socket.subscribe(str(number), f"subscription {{ fed {{ a{number}: version }} }}")
                kinds = [(await socket.receive())["type"] for _ in range(40)]
            await until(lambda: not world.sources)

    assert server._websocket.memory.taken_bytes == 0
    assert set(kinds) == {"next", "error"}
    assert set(meters.limits) == {"memory"}


async def test_events_wait_and_are_merged_when_a_connection_has_sent_its_share() -> None:
    world = World()
    async with listening(make_server(world)) as address, websocket(address, max_size=None) as socket:
        await socket.initialise()
        await socket.subscribe("a", "subscription { fed { version padding } }")
        assert (await socket.receive())["type"] == "next"
        received: list[int] = []
        for version in range(101, 201):
            world.notify(version)
            await until(lambda: True)
        while not received or received[-1] != 200:
            message = await socket.receive()
            if message["type"] == "next":
                received.append(message["payload"]["data"]["fed"]["version"])

    assert 30 <= len(received) < 60, "some two million bytes at once, the last one later"
