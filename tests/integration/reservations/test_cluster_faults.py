"""A Redis cluster that loses, moves and gets back nodes: each costs its own keys and nothing else."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from redis.exceptions import RedisError

from reservations.cluster import RedisCluster
from reservations.connection import Runner, batcher, connect
from tests.clusters import NODE_TIMEOUT_SECONDS, Cluster, Node

IN_FLIGHT = 100
DEADLINE_SECONDS = 20


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path, with_replicas=True)
    yield cluster
    cluster.stop()


@pytest.fixture
async def runner(cluster: Cluster) -> AsyncIterator[Runner]:
    client = connect(cluster.url, 8)
    yield batcher(client)
    await client.aclose()


def key_at(cluster: Cluster, node: Node) -> str:
    """A key of this node."""
    while True:
        key = f"bx:{uuid4().hex}"
        if cluster.node_of(key) is node:
            return key


async def counted(runner: Runner, key: str, seconds: float) -> tuple[int, list[str]]:
    """Increments a key without a pause; returns the answers, and the failures."""
    answers, failures = 0, list[str]()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            await runner.run("INCR", key)
            answers += 1
        except RedisError as failure:
            failures.append(f"{type(failure).__name__}: {failure}")
            await asyncio.sleep(0.01)
    return answers, failures


async def answered_again(runner: Runner, key: str) -> float:
    """Seconds until a key can be written."""
    began = time.monotonic()
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                await runner.run("INCR", key)
                return time.monotonic() - began
            except RedisError:
                await asyncio.sleep(0.02)


async def test_no_other_node_fails_when_one_dies_with_a_hundred_commands_in_flight(
    cluster: Cluster, runner: Runner
) -> None:
    keys = {node: key_at(cluster, node) for node in cluster.nodes}
    dead, *others = cluster.nodes
    work = {
        node: [asyncio.create_task(counted(runner, key, 3.0)) for _ in range(IN_FLIGHT // 3)]
        for node, key in keys.items()
    }
    await asyncio.sleep(0.5)

    dead.kill()

    for node in others:
        for answers, failures in await asyncio.gather(*work[node]):
            assert (answers > 0, failures) == (True, [])
    assert any(failures for _, failures in await asyncio.gather(*work[dead]))


async def test_a_dead_nodes_keys_are_served_by_its_replica_when_nobody_asked_meanwhile(
    cluster: Cluster, runner: Runner
) -> None:
    """An idle process learns of the failover, too."""
    dead = cluster.nodes[1]
    key = key_at(cluster, dead)
    await runner.run("SET", key, 7)
    await asyncio.sleep(0.2)

    dead.kill()
    seconds = await answered_again(runner, key)

    assert await runner.run("GET", key) == b"8"
    assert seconds < NODE_TIMEOUT_SECONDS * 4
    await asyncio.sleep(1)
    assert len(await asyncio.gather(*(each.run("PING") for each in await runner.servers()))) == 3


async def test_a_client_starts_when_the_first_node_of_its_address_is_dead(cluster: Cluster) -> None:
    dead, alive, _ = cluster.nodes
    dead.kill()
    client = connect(cluster.url_of(dead, alive), 4)

    await answered_again(batcher(client), key_at(cluster, alive))

    await client.aclose()


async def test_no_command_fails_when_slots_move_meanwhile(cluster: Cluster, runner: Runner) -> None:
    source, target, _ = cluster.nodes
    keys = [key_at(cluster, source) for _ in range(8)]
    work = [asyncio.create_task(counted(runner, key, 4.0)) for key in keys]
    await asyncio.sleep(0.3)

    source.ask("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", 0, 5460, "NODE", target.name)

    found = await asyncio.gather(*work)
    assert [failures for _, failures in found] == [[]] * len(keys)
    for key, (answers, _) in zip(keys, found, strict=True):
        assert int(await runner.run("GET", key)) == answers
    with target.client() as client:
        assert all(client.exists(key) for key in keys)


async def test_a_command_is_sent_to_where_a_slot_is_on_its_way(cluster: Cluster, runner: Runner) -> None:
    """The older way to move a slot: the key is at the target already, which answers only who asks."""
    source, target, _ = cluster.nodes
    key = key_at(cluster, source)
    slot = source.ask("CLUSTER", "KEYSLOT", key).decode()
    await runner.run("GET", key)
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.name)
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.name)

    await runner.run("SET", key, "there")

    assert await runner.run("GET", key) == b"there"
    with target.client() as client:
        client.execute_command("ASKING")
        assert client.get(key) == b"there"


async def test_a_node_that_was_away_for_long_does_not_turn_the_map_back(
    cluster: Cluster, runner: Runner
) -> None:
    assert isinstance(runner, RedisCluster)
    lost = cluster.nodes[2]
    key = key_at(cluster, lost)
    await runner.run("SET", key, 1)
    lost.kill()
    await answered_again(runner, key)

    lost.start()

    for _ in range(50):
        await runner.run("INCR", key)
        await asyncio.sleep(0.02)
    with cluster.replicas[2].client() as client:
        assert int(client.get(key) or 0) >= 52
