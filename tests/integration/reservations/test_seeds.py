"""Several servers in REDIS_URL: any that answers is enough, and a cluster is noticed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.exceptions import MovedError, RedisError

from devservices.valkey import Valkey
from parts import check_redis
from pubsub.channels import Channels
from pubsub.redis_backend import RedisBackend
from reservations.connection import Runner, batcher, connect, connect_server
from settings import SettingsError
from tests.apis import SECRET, api_on, settings_on
from tests.clusters import Cluster, Node
from tests.first_sale import reserve_first_seat

DEADLINE_SECONDS = 20


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path, with_replicas=True)
    yield cluster
    cluster.stop()


def plain_url(*nodes: Node) -> str:
    return "redis://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes)


async def kept_everywhere(runner: Runner, cluster: Cluster) -> int:
    """Writes keys of every node, and returns how many."""
    keys = [f"key-{number}" for number in range(30)]
    assert {cluster.node_of(key) for key in keys} == set(cluster.nodes)
    for key in keys:
        await runner.run("SET", key, 1)
    return sum([int(await runner.run("EXISTS", key)) for key in keys])


async def test_the_cluster_is_used_when_a_plain_address_names_one_of_its_nodes(cluster: Cluster) -> None:
    client = connect(plain_url(cluster.nodes[0]), 4)
    runner = batcher(client)

    assert await kept_everywhere(runner, cluster) == 30
    assert len(await runner.servers()) == 3
    await client.aclose()


async def test_control_a_client_of_one_server_is_redirected_when_it_is_a_node(cluster: Cluster) -> None:
    client = connect_server(plain_url(cluster.nodes[0]), 4)

    with pytest.raises(MovedError):
        await kept_everywhere(batcher(client), cluster)

    await client.aclose()


async def test_messages_of_every_node_are_heard_when_the_address_is_plain(cluster: Cluster) -> None:
    client = connect(plain_url(*cluster.nodes), 4)
    channels = Channels(RedisBackend(client))
    await channels.open()

    for number in range(12):
        async with channels.subscribe(f"c{number}") as mailbox, asyncio.timeout(DEADLINE_SECONDS):
            await channels.publish(f"c{number}", "news")
            assert await mailbox.get() == "news"

    await channels.close()
    await client.aclose()


async def test_a_process_starts_and_sells_when_one_seed_of_its_address_is_dead(
    cluster: Cluster, postgres_url: str
) -> None:
    dead, alive, _ = cluster.nodes
    dead.kill()
    url = plain_url(dead, alive)

    async with api_on(postgres_url, url) as api:
        assert await reserve_first_seat(api) == "ReserveSuccess"


async def test_every_caller_hears_it_when_no_seed_answers() -> None:
    client = connect("redis://127.0.0.1:1,127.0.0.1:2", 4)
    runner = batcher(client)

    answers = await asyncio.gather(*(runner.run("GET", "key") for _ in range(20)), return_exceptions=True)

    assert [isinstance(answer, RedisError) for answer in answers] == [True] * 20
    await client.aclose()


async def test_a_sentence_refuses_several_servers_when_they_are_no_cluster(
    redis_server: Valkey, postgres_url: str
) -> None:
    url = f"{redis_server.url().removesuffix('/0')},127.0.0.1:1"

    with pytest.raises(SettingsError, match="BOXOFFICE_REDIS_URL names servers that are no cluster"):
        await check_redis(settings_on(postgres_url, url))


async def test_a_sentence_refuses_the_address_when_redis_refuses_the_password(
    redis_server: Valkey, postgres_url: str
) -> None:
    url = f"redis://:{SECRET}@127.0.0.1:{redis_server.port}"

    with pytest.raises(SettingsError, match=r"BOXOFFICE_REDIS_URL is refused by 127\.0\.0\.1") as refusal:
        await check_redis(settings_on(postgres_url, url))

    assert SECRET not in str(refusal.value)


async def test_nothing_is_refused_when_no_server_answers_yet(postgres_url: str) -> None:
    await check_redis(settings_on(postgres_url, "redis://127.0.0.1:1"))
