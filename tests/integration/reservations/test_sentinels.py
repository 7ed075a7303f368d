"""Sentinels in REDIS_URL: commands and messages follow a failover."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from devservices.ports import HOST
from parts import check_redis
from pubsub.channels import Channels, Mailbox
from pubsub.redis_backend import RedisBackend
from reservations.connection import Client, Runner, batcher, connect
from settings import SettingsError
from tests.apis import api_on, settings_on
from tests.certificates import Certificates
from tests.first_sale import reserve_first_seat
from tests.installations import until
from tests.redis_servers import RedisServer, running
from tests.sentinels import PASSWORD, SENTINEL_PASSWORD, Watched

# On a busy machine Sentinels may rest for half a minute (their TILT mode) before they act.
DEADLINE_SECONDS = 60


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with running(Watched(tmp_path)) as watched:
        yield watched


@pytest.fixture
async def client(watched: Watched) -> AsyncIterator[Client]:
    client = connect(watched.url, 4)
    yield client
    await client.aclose()


async def written(runner: Runner, key: str, value: int) -> None:
    """Write a key as soon as there is a primary."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                await runner.run("SET", key, value)
                return
            except RedisError:
                await asyncio.sleep(0.05)


async def heard(channels: Channels, mailbox: Mailbox) -> None:
    """Publish until the subscriber hears it."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            await channels.publish("news", "a message")
            if await mailbox.wait(0.1) is True:
                return


@pytest.mark.parametrize("fault", [RedisServer.kill, RedisServer.freeze])
async def test_the_replica_is_used_when_the_primary_is_killed_or_hangs(
    watched: Watched, client: Client, fault: Callable[[RedisServer], None]
) -> None:
    runner = batcher(client)
    await written(runner, "key", 1)
    until(lambda: watched.replica.ask("GET", "key") == b"1")

    fault(watched.primary)
    await written(runner, "key", 2)

    assert watched.replica.ask("GET", "key") == b"2"
    assert len(await runner.servers()) == 1


async def test_the_promoted_server_is_used_when_the_old_primary_still_answers(
    watched: Watched, client: Client
) -> None:
    runner = batcher(client)
    await written(runner, "key", 1)

    watched.sentinels[0].ask("SENTINEL", "FAILOVER", "tickets")
    until(watched.replica.is_primary)

    # The old primary takes writes until it is demoted; they are lost with it.
    async with asyncio.timeout(DEADLINE_SECONDS):
        while watched.replica.ask("GET", "key") != b"2":
            await written(runner, "key", 2)


async def test_subscribers_hear_the_promoted_server_when_the_primary_is_killed(
    watched: Watched, client: Client
) -> None:
    channels = Channels(RedisBackend(client))
    await channels.open()
    async with channels.subscribe("news") as mailbox:
        await heard(channels, mailbox)

        watched.primary.kill()

        await heard(channels, mailbox)
    await channels.close()


async def test_a_sale_goes_on_when_the_primary_and_a_sentinel_are_dead(
    watched: Watched, postgres_url: str
) -> None:
    async with api_on(postgres_url, watched.url) as api:
        assert await reserve_first_seat(api) == "ReserveSuccess"

        watched.primary.kill()
        watched.sentinels[0].kill()

        assert await reserve_first_seat(api, DEADLINE_SECONDS) == "ReserveSuccess"


async def test_a_failover_is_followed_when_everybody_speaks_tls(tmp_path: Path, postgres_url: str) -> None:
    certificates = Certificates(tmp_path / "certificates")
    with running(Watched(tmp_path / "watched", certificates)) as watched:
        async with api_on(postgres_url, watched.url) as api:
            assert await reserve_first_seat(api) == "ReserveSuccess"

            watched.primary.kill()

            assert await reserve_first_seat(api, DEADLINE_SECONDS) == "ReserveSuccess"


async def test_a_sentence_refuses_the_address_when_the_sentinels_know_no_such_service(
    watched: Watched, postgres_url: str
) -> None:
    url = watched.url.replace("/tickets", "/concerts")

    with pytest.raises(SettingsError, match="the Sentinel knows no service concerts"):
        await check_redis(settings_on(postgres_url, url))


async def test_a_sentence_refuses_the_address_when_the_sentinels_refuse_the_password(
    watched: Watched, postgres_url: str
) -> None:
    url = watched.url.replace(SENTINEL_PASSWORD, "hunter2")

    with pytest.raises(SettingsError, match=rf"BOXOFFICE_REDIS_URL is refused by {HOST}") as refusal:
        await check_redis(settings_on(postgres_url, url))

    assert "hunter2" not in str(refusal.value)
    assert PASSWORD not in str(refusal.value)
