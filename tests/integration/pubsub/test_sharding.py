"""Pub/sub on a cluster: the node of a channel hears its messages, wherever its slot goes, and no other."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pubsub.channels import Channels, Mailbox
from pubsub.redis_backend import RedisBackend
from reservations.connection import connect
from tests.clusters import NODE_TIMEOUT_SECONDS, Cluster, Node

DEADLINE_SECONDS = 20
SLOTS_OF_FIRST = 5460


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path)
    yield cluster
    cluster.stop()


@asynccontextmanager
async def opened(cluster: Cluster) -> AsyncIterator[Channels]:
    client = connect(cluster.url_of(*cluster.nodes), 8)
    channels = Channels(RedisBackend(client))
    await channels.open()
    yield channels
    await channels.close()
    await client.aclose()


def channels_by_node(cluster: Cluster) -> dict[Node, str]:
    """A channel on every node."""
    found: dict[Node, str] = {}
    number = 0
    while len(found) < len(cluster.nodes):
        found.setdefault(cluster.node_of(f"c{number}"), f"c{number}")
        number += 1
    return found


def subscribed(node: Node, channel: str) -> bool:
    with node.client() as client:
        return bool(client.pubsub_shardnumsub(channel)[0][1])


async def heard_at_last(channels: Channels, channel: str, mailbox: Mailbox) -> list[str | None]:
    """What a subscriber gets until it hears one of the messages that are sent again and again."""
    received: list[str | None] = []
    async with asyncio.timeout(DEADLINE_SECONDS):
        while "news" not in received:
            await channels.publish(channel, "news")
            await asyncio.sleep(0.1)
            while mailbox_has(mailbox):
                received.append(await mailbox.get())
    return received


def mailbox_has(mailbox: Mailbox) -> bool:
    return bool(mailbox._messages)


async def test_a_node_hears_its_own_channels_only(cluster: Cluster) -> None:
    of_node = channels_by_node(cluster)
    async with opened(cluster) as channels:
        for node, channel in of_node.items():
            async with channels.subscribe(channel) as mailbox, asyncio.timeout(DEADLINE_SECONDS):
                await channels.publish(channel, "news")
                assert await mailbox.get() == "news"
                assert [other for other in cluster.nodes if subscribed(other, channel)] == [node]

    for node in cluster.nodes:
        assert b"messages_publish" not in node.ask("CLUSTER", "INFO"), (
            "no message went over the cluster's bus"
        )


async def test_subscribers_hear_a_gap_and_what_follows_when_the_slot_has_moved(cluster: Cluster) -> None:
    source, target, _ = cluster.nodes
    channel = channels_by_node(cluster)[source]
    async with opened(cluster) as channels, channels.subscribe(channel) as mailbox:
        source.ask("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", 0, SLOTS_OF_FIRST, "NODE", target.name)
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not subscribed(target, channel):
                await asyncio.sleep(0.05)
        received = await heard_at_last(channels, channel, mailbox)

    assert received[0] is None
    assert "news" in received


async def test_subscribers_hear_a_gap_and_what_follows_when_a_replica_took_over(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, with_replicas=True)
    try:
        lost = cluster.nodes[0]
        channel = channels_by_node(cluster)[lost]
        async with opened(cluster) as channels, channels.subscribe(channel) as mailbox:
            lost.kill()
            await asyncio.sleep(NODE_TIMEOUT_SECONDS)
            received = await heard_at_last(channels, channel, mailbox)
    finally:
        cluster.stop()

    assert received[0] is None
    assert "news" in received


async def test_other_nodes_channels_are_undisturbed_when_one_node_is_dead(cluster: Cluster) -> None:
    of_node = channels_by_node(cluster)
    dead, *others = cluster.nodes
    async with opened(cluster) as channels, channels.subscribe(of_node[dead]):
        for node in others:
            async with channels.subscribe(of_node[node]) as mailbox:
                dead.kill()
                await channels.publish(of_node[node], "news")
                async with asyncio.timeout(DEADLINE_SECONDS):
                    assert await mailbox.get() == "news"
                await asyncio.sleep(NODE_TIMEOUT_SECONDS)
                assert not mailbox_has(mailbox), "no gap: nothing was lost here"
