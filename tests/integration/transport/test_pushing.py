"""Event sources over real sockets: pushed where the server takes frames."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from typing import Any

import pytest

from tests.transport.clients import GraphQLSocket, listening, until, websocket
from tests.transport.toy import SHARED, CountingMeters, World, make_server
from transport import Limits
from transport.websocket.protocol import WebSocketProtocol

Serve = Callable[[Any], AbstractAsyncContextManager[str]]
FED = "subscription { fed { version } }"
LARGE = "subscription { fed { version padding } }"


@pytest.fixture(autouse=True)
def nothing_shared_yet() -> None:
    SHARED.clear()


@pytest.fixture(params=["websockets-sansio", WebSocketProtocol], ids=["plain", "frames"])
def serve(request: pytest.FixtureRequest) -> Serve:
    """A server without the frames extension, and one with it."""
    return partial(listening, ws=request.param)


def version_in(message: dict[str, Any]) -> int:
    assert message["type"] == "next", message
    version: int = message["payload"]["data"]["fed"]["version"]
    return version


async def subscribed(socket: GraphQLSocket, name: str, query: str = FED) -> None:
    """Subscribe to the event source and read its first event."""
    await socket.subscribe(name, query)
    message = await socket.receive()
    assert (message["id"], version_in(message)) == (name, 0)


async def watching(socket: GraphQLSocket, name: str, query: str = FED, **payload: Any) -> None:
    """Open the protocol, too."""
    await socket.initialise(payload)
    await subscribed(socket, name, query)


async def test_every_socket_gets_every_update_when_ids_differ() -> None:
    world = World()
    query = "subscription { fed { version counted } }"
    async with listening(make_server(world)) as address, AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(websocket(address)) for _ in range(40)]
        for number, socket in enumerate(sockets):
            await watching(socket, f"id {number}", query)
        executed = world.executions
        for version in (1, 2, 3):
            world.notify(version)
            for number, socket in enumerate(sockets):
                message = await socket.receive()
                assert (message["id"], version_in(message)) == (f"id {number}", version)
        assert world.executions == executed + 3


async def test_update_is_not_lost_when_it_is_notified_while_another_executes() -> None:
    world = World()
    query = "subscription { fed { version awaited } }"
    async with listening(make_server(world)) as address, websocket(address) as socket:
        await watching(socket, "a", query)
        world.gate = asyncio.Event()
        world.notify(1, 2, 3)
        world.gate.set()
        assert version_in(await socket.receive()) == 1
        assert version_in(await socket.receive()) == 3


async def test_slow_socket_gets_the_newest_and_delays_no_other() -> None:
    world, meters = World(), CountingMeters()
    server = make_server(world, meters=meters)
    async with listening(server) as address, websocket(address) as quick:
        async with websocket(address, max_queue=1) as slow:
            await watching(quick, "q")
            await watching(slow, "s", LARGE)
            for version in range(100, 400):
                world.notify(version)
                assert version_in(await quick.receive()) == version
            last = 0
            received = 0
            while last < 399:
                last = version_in(await slow.receive())
                received += 1
            assert received < 300, "what was not taken was merged"
            world.notify(1_000)
            assert version_in(await slow.receive()) == 1_000
        assert meters.drops == []


async def test_socket_is_dropped_and_counted_when_it_reads_nothing_for_too_long() -> None:
    world, meters = World(), CountingMeters()
    server = make_server(world, meters=meters, limits=Limits(keep_alive_seconds=0.05, send_seconds=0.2))
    async with (
        listening(server) as address,
        websocket(address) as quick,
        websocket(address, max_queue=1) as slow,
    ):
        await watching(quick, "q")
        await watching(slow, "s", LARGE)
        versions = itertools.count(100)

        def is_dropped() -> bool:
            world.notify(next(versions))
            return meters.drops == [("websocket", "slow")]

        await until(is_dropped)
        await until(lambda: len(world.sources) == 1 and meters.open == {"websocket": 1})
        assert meters.drops == [("websocket", "slow")]
        slow.connection.transport.abort()


async def test_source_is_detached_when_a_client_vanishes(serve: Serve) -> None:
    world, meters = World(), CountingMeters()
    async with serve(make_server(world, meters=meters)) as address:
        async with websocket(address) as socket:
            await watching(socket, "a")
            socket.connection.transport.abort()
            await until(lambda: world.sources == [] and meters.open == {"websocket": 0})
            world.notify(1)
        assert meters.drops == []


async def test_nothing_more_is_sent_when_the_client_completes() -> None:
    world, meters = World(), CountingMeters()
    async with listening(make_server(world, meters=meters)) as address, websocket(address) as socket:
        await watching(socket, "a")
        await subscribed(socket, "b")
        await socket.send({"id": "a", "type": "complete"})
        await until(lambda: len(world.sources) == 1)
        world.notify(1)
        message = await socket.receive()
        assert (message["id"], version_in(message)) == ("b", 1)
        assert meters.open == {"websocket": 1}


async def test_operation_completes_and_its_id_is_free_when_the_source_ends() -> None:
    world, meters = World(), CountingMeters()
    async with listening(make_server(world, meters=meters)) as address, websocket(address) as socket:
        await watching(socket, "a")
        world.sources[0].end()
        assert await socket.receive() == {"id": "a", "type": "complete"}
        assert meters.open == {"websocket": 0}
        await subscribed(socket, "a")


async def test_fault_is_sent_masked_when_an_update_cannot_be_executed() -> None:
    world = World()
    async with listening(make_server(world)) as address, websocket(address) as socket:
        await watching(socket, "a", LARGE)
        world.notify(13)
        failure = (await socket.receive())["payload"]["errors"][0]
        assert failure["message"] == "Internal server error."
        world.notify(14)
        assert version_in(await socket.receive()) == 14


async def test_operation_ends_with_its_token_when_it_is_pushed() -> None:
    world = World()
    async with listening(make_server(world)) as address, websocket(address) as socket:
        await watching(socket, "a", Authorization="Bearer ada for 0.3")
        message = await socket.receive()
        assert (message["type"], message["id"]) == ("error", "a")
        assert await socket.close_code() == 4403
        assert world.sources == []


async def test_sockets_are_closed_for_a_restart_when_the_server_closes_while_it_pushes() -> None:
    world, server = World(), None
    server = make_server(world)
    async with listening(server) as address, websocket(address) as socket:
        await watching(socket, "a")
        await server.aclose()
        assert await socket.close_code() == 1012
        assert world.sources == []
