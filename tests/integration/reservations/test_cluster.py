"""Redis as a cluster of three: every event is sold, swept, watched and rebuilt wherever its slot is."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from redis.exceptions import MovedError, RedisError

from domain.errors import BoxofficeError, Unavailable
from endpoints.probes import ask_servers
from pubsub.channels import Channels
from pubsub.redis_backend import RedisBackend
from reservations.connection import batcher, connect
from reservations.keys import event_keys
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from tests.clusters import Cluster, Node
from tests.events import ManualClock, buyer, open_event
from workers.ordering import RestartWatch

DEADLINE_SECONDS = 20


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path)
    yield cluster
    cluster.stop()


@pytest.fixture
def redis_url(cluster: Cluster) -> str:
    """In the place of the one server that the other tests share."""
    return cluster.url


@pytest.fixture
async def channels(redis_url: str) -> AsyncIterator[Channels]:
    client = connect(redis_url, 8)
    channels = Channels(RedisBackend(client))
    await channels.open()
    yield channels
    await channels.close()
    await client.aclose()


async def one_each(context: ServiceContext, cluster: Cluster) -> dict[Node, UUID]:
    """An event on every node."""
    found: dict[Node, UUID] = {}
    while len(found) < len(cluster.nodes):
        event_id = await open_event(context.database, rows=[4])
        found.setdefault(cluster.node_of(event_keys(event_id).meta), event_id)
    return found


async def hold(context: ServiceContext, event_id: UUID, *places: int) -> None:
    await reserve(context, buyer("ann"), ReserveRequest(event_id, ExactSeats(places)))


def owns(node: Node, key: str) -> bool:
    with contextlib.suppress(MovedError):
        return node.ask("EXISTS", key) == b"1"
    return False


async def held_places(context: ServiceContext, event_id: UUID) -> bytes:
    """The map, as soon as its node answers."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                return (await context.seats.snapshot(event_id)).places
            except Unavailable:
                await asyncio.sleep(0.1)


async def test_holds_of_every_node_are_swept_when_they_lapse(
    context: ServiceContext, cluster: Cluster, clock: ManualClock
) -> None:
    events = set((await one_each(context, cluster)).values())
    for event_id in events:
        await hold(context, event_id, 0, 1)

    await asyncio.sleep(0)  # the list of changed events is written beside the requests
    assert set(await context.seats.changed.since(0)) == events
    clock.advance(seconds=481)
    assert [len(await context.seats.lapse(event_id)) for event_id in events] == [1] * len(events)
    assert [await held_places(context, event_id) for event_id in events] == [b"AAAA"] * len(events)


async def test_one_nodes_events_are_built_anew_when_it_came_back_empty(
    context: ServiceContext, cluster: Cluster
) -> None:
    events = await one_each(context, cluster)
    for event_id in events.values():
        await hold(context, event_id, 0, 1)
    await RestartWatch(context)()
    before = {event_id: await context.seats.version(event_id) for event_id in events.values()}
    lost, *others = cluster.nodes

    lost.kill()
    lost.start()

    assert await held_places(context, events[lost]) == b"HHAA"
    await RestartWatch(context)()
    after = {event_id: await context.seats.version(event_id) for event_id in events.values()}
    assert after[events[lost]] != before[events[lost]]
    assert all(after[events[node]] == before[events[node]] for node in others)
    assert await context.seats.new_server_runs() is None


async def test_events_of_other_nodes_are_sold_when_one_node_is_dead(
    context: ServiceContext, cluster: Cluster
) -> None:
    events = await one_each(context, cluster)
    for event_id in events.values():
        await hold(context, event_id, 0)
    dead, *others = cluster.nodes

    dead.kill()

    with pytest.raises(BoxofficeError):
        await hold(context, events[dead], 2)
    for node in others:
        await hold(context, events[node], 1)
        assert await held_places(context, events[node]) == b"HHAA"
    assert {events[node] for node in others} <= set(await context.seats.changed.since(0))


async def test_every_change_is_heard_when_it_was_made_on_another_node(
    context: ServiceContext, cluster: Cluster, channels: Channels
) -> None:
    for event_id in (await one_each(context, cluster)).values():
        async with channels.subscribe(event_keys(event_id).channel) as mailbox:
            await hold(context, event_id, 3)
            async with asyncio.timeout(DEADLINE_SECONDS):
                message = await mailbox.get()

        assert message is not None


async def test_an_event_is_built_anew_when_its_slot_has_moved_to_another_server(
    context: ServiceContext, cluster: Cluster
) -> None:
    """Otherwise a restart of its new server, which loses writes, would go unnoticed: the old one runs on."""
    events = await one_each(context, cluster)
    source, target, _ = cluster.nodes
    event_id = events[source]
    await hold(context, event_id, 0)
    await RestartWatch(context)()
    before = await context.seats.version(event_id)
    source.ask("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", 0, 5460, "NODE", target.name)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not owns(target, event_keys(event_id).meta):
            await asyncio.sleep(0.05)

    await RestartWatch(context)()

    after = await context.seats.version(event_id)
    assert before is not None and after is not None
    assert (after[0] != before[0], after[1] > before[1]) == (True, True)
    assert await held_places(context, event_id) == b"HAAA"
    assert await context.seats.built_elsewhere() == []


async def test_ready_while_one_node_is_dead_and_not_when_all_are(cluster: Cluster, redis_url: str) -> None:
    client = connect(redis_url, 4)
    servers = await batcher(client).servers()
    first, *others = cluster.nodes

    first.kill()
    while_one_is_dead = await ask_servers(servers)
    for node in others:
        node.kill()

    assert while_one_is_dead == "1 of 3 nodes away"
    with pytest.raises(RedisError):
        await ask_servers(servers)
    await client.aclose()
