"""Redis by TLS: the certificate and the name are verified, we may have to show a certificate of our own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError as ConnectionLost

from devservices.ports import HOST
from parts import check_redis
from pubsub.channels import Channels
from pubsub.redis_backend import RedisBackend
from reservations.connection import Runner, batcher, connect
from settings import SettingsError
from tests.apis import api_on, settings_on
from tests.certificates import Certificates
from tests.clusters import Cluster
from tests.first_sale import reserve_first_seat
from tests.redis_servers import RedisServer, running

DEADLINE_SECONDS = 20


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path / "certificates")


@pytest.fixture
def server(tmp_path: Path, certificates: Certificates) -> Iterator[RedisServer]:
    with running(RedisServer(tmp_path / "server", certificates=certificates)) as server:
        yield server


@asynccontextmanager
async def runner_of(url: str) -> AsyncIterator[Runner]:
    client = connect(url, 4)
    yield batcher(client)
    await client.aclose()


async def test_the_server_is_used_when_the_authority_of_its_certificate_is_given(
    server: RedisServer, certificates: Certificates, postgres_url: str
) -> None:
    url = f"rediss://{HOST}:{server.port}?ssl_ca_certs={certificates.ca_file}"

    await check_redis(settings_on(postgres_url, url))
    async with api_on(postgres_url, url) as api:
        assert await reserve_first_seat(api) == "ReserveSuccess"


async def test_the_server_is_refused_when_its_authority_is_none_that_we_know(
    server: RedisServer, tmp_path: Path, postgres_url: str
) -> None:
    stranger = Certificates(tmp_path / "stranger")

    for option in ("", f"?ssl_ca_certs={stranger.ca_file}"):
        url = f"rediss://{HOST}:{server.port}{option}"
        async with runner_of(url) as runner:
            with pytest.raises(ConnectionLost, match="CERTIFICATE_VERIFY_FAILED"):
                await runner.run("GET", "key")
        with pytest.raises(SettingsError, match=r"BOXOFFICE_REDIS_URL is refused by .*certificate"):
            await check_redis(settings_on(postgres_url, url))


async def test_the_server_is_refused_when_the_certificate_is_of_another_host(
    tmp_path: Path, certificates: Certificates
) -> None:
    certificates.server = certificates.issue("elsewhere", "cache.example")
    with running(RedisServer(tmp_path / "elsewhere", certificates=certificates)) as server:
        url = f"rediss://{HOST}:{server.port}?ssl_ca_certs={certificates.ca_file}"

        async with runner_of(url) as runner:
            with pytest.raises(ConnectionLost, match="IP address mismatch"):
                await runner.run("GET", "key")
        async with runner_of(f"{url}&ssl_check_hostname=no") as runner:
            assert await runner.run("GET", "key") is None


async def test_our_certificate_is_shown_when_the_server_demands_one(
    tmp_path: Path, certificates: Certificates
) -> None:
    certificates.demands_client_certificate = True
    certificate, key = certificates.client
    with running(RedisServer(tmp_path / "demanding", certificates=certificates)) as server:
        url = f"rediss://{HOST}:{server.port}?ssl_ca_certs={certificates.ca_file}"

        async with runner_of(f"{url}&ssl_certfile={certificate}&ssl_keyfile={key}") as runner:
            assert await runner.run("GET", "key") is None
        async with runner_of(url) as runner:
            with pytest.raises(ConnectionLost):
                await runner.run("GET", "key")


async def test_new_certificates_need_no_restart_when_their_files_are_replaced(
    server: RedisServer, certificates: Certificates, tmp_path: Path
) -> None:
    url = f"rediss://{HOST}:{server.port}?ssl_ca_certs={certificates.ca_file}"
    known = certificates.ca_file.read_bytes()
    certificates.ca_file.write_bytes(Certificates(tmp_path / "stranger").ca_file.read_bytes())

    async with runner_of(url) as runner:
        with pytest.raises(ConnectionLost):
            await runner.run("GET", "key")
        certificates.ca_file.write_bytes(known)
        assert await runner.run("GET", "key") is None


@pytest.fixture
def cluster(tmp_path: Path, certificates: Certificates) -> Iterator[Cluster]:
    with running(Cluster(tmp_path / "cluster", certificates=certificates)) as cluster:
        yield cluster


@pytest.mark.parametrize("scheme", ["rediss", "rediss+cluster"])
async def test_a_cluster_is_used_when_its_nodes_speak_tls(
    cluster: Cluster, certificates: Certificates, scheme: str, postgres_url: str
) -> None:
    seeds = ",".join(f"{HOST}:{node.port}" for node in cluster.nodes)
    url = f"{scheme}://{seeds}?ssl_ca_certs={certificates.ca_file}"
    client = connect(url, 4)
    channels = Channels(RedisBackend(client))
    await channels.open()

    for number in range(12):
        await batcher(client).run("SET", f"c{number}", number)
        async with channels.subscribe(f"c{number}") as mailbox, asyncio.timeout(DEADLINE_SECONDS):
            await channels.publish(f"c{number}", "news")
            assert await mailbox.get() == "news"
    async with api_on(postgres_url, url) as api:
        assert await reserve_first_seat(api) == "ReserveSuccess"

    await channels.close()
    await client.aclose()
