"""The connections of a network are counted over all processes."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import orjson
import pytest

from kit.tasks import stopped
from pubsub.keys import NETWORK_CONNECTIONS
from pubsub.network_connections import NetworkConnections
from reservations.connection import batcher, connect_server
from tests.transport.clients import in_process
from tests.transport.toy import make_server
from transport import ConnectionInfo, GraphQLServer, Limits, ServerOptions

Pair = tuple[NetworkConnections, NetworkConnections]
HOME = "5.6.7.8"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
async def processes(redis_url: str) -> AsyncIterator[Pair]:
    """The counts of two processes, which exchange them fifty times a second; 300 at most."""
    client = connect_server(redis_url, 4)
    pair = tuple(NetworkConnections(batcher(client), 300, exchange_seconds=0.02) for _ in range(2))
    tasks = [asyncio.create_task(each.keep_exchanging()) for each in pair]
    yield pair[0], pair[1]
    for task in tasks:
        await stopped(task)
    await client.aclose()


async def test_each_process_knows_what_a_network_has_at_the_other(processes: Pair) -> None:
    one, other = processes
    one.change(HOME, 200)
    other.change(HOME, 3)

    await until(lambda: one.elsewhere(HOME) == 3 and other.elsewhere(HOME) == 200)
    assert one.elsewhere("9.9.9.9") == 0
    one.change(HOME, -200)

    await until(lambda: other.elsewhere(HOME) == 0)


async def test_the_counts_of_a_process_that_died_are_forgotten(processes: Pair, redis_url: str) -> None:
    one, _ = processes
    client = connect_server(redis_url, 4)
    for name, age in (("dead", 60), ("alive", 0)):
        entry = b"%.3f %b" % (time.time() - age, orjson.dumps({HOME: 100}))
        await client.hset(NETWORK_CONNECTIONS, name, entry)
    one.change(HOME, 10)

    await until(lambda: one.elsewhere(HOME) > 0)

    assert one.elsewhere(HOME) == 100
    assert await client.hget(NETWORK_CONNECTIONS, "dead") is None
    await client.aclose()


async def test_redis_is_not_asked_when_no_network_has_many(processes: Pair, redis_url: str) -> None:
    one, _ = processes
    client = connect_server(redis_url, 4)
    one.change(HOME, 2)
    await asyncio.sleep(0.1)

    assert not await client.exists(NETWORK_CONNECTIONS)
    await client.aclose()


async def test_each_process_counts_for_itself_when_redis_is_away() -> None:
    client = connect_server("redis://127.0.0.1:1", 1)
    one = NetworkConnections(batcher(client), 300, exchange_seconds=0.02)
    one._others[HOME] = 290
    one.change(HOME, 100)
    task = asyncio.create_task(one.keep_exchanging())

    await until(lambda: one.elsewhere(HOME) == 0)

    await stopped(task)
    await client.aclose()


async def test_a_network_is_refused_when_it_has_the_most_at_both_processes_together(processes: Pair) -> None:
    def server_of(counts: NetworkConnections) -> GraphQLServer:
        options = ServerOptions(network=_by_client, connection_counts=counts)
        return make_server(limits=Limits(connections_per_network=3), options=options)

    first, second = (server_of(counts) for counts in processes)
    async with in_process(first) as at_first, in_process(second) as at_second:
        assert [(await at_first.put("/")).status_code for _ in range(2)] == [201, 201]
        assert (await at_second.put("/")).status_code == 201
        # A hundredth of 300 is 3: what is below is not published. Two more bring the second process above it.
        processes[1].change("127.0.0.1", 2)
        processes[0].change("127.0.0.1", 1)
        await until(lambda: processes[1].elsewhere("127.0.0.1") == 3)

        refused = await at_second.put("/")
        assert refused.status_code == 429
        assert refused.json()["errors"][0]["extensions"]["code"] == "TOO_MANY_CONNECTIONS"


def _by_client(info: ConnectionInfo) -> str | None:
    return info.client
