"""A user of least rights, as docs/operations/redis.md gives it, is enough for every process."""

import asyncio
import re
import secrets
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from redis.exceptions import NoPermissionError

from devservices.ports import HOST
from devservices.valkey import Valkey
from tests.apis import SECRET, Api, api_on, new_token
from tests.certificates import Certificates
from tests.clusters import Cluster
from tests.first_sale import reserve_first_seat
from tests.installations import ROOT, Installation, run, until
from tests.integration.devservices.test_serving_in_production import production_settings
from tests.integration.reading.events import publish_event
from tests.redis_servers import running

PAGE = (ROOT / "docs/operations/redis.md").read_text()
PASSWORD = secrets.token_hex(16)


def documented_rights() -> list[str]:
    """What the page's ACL line gives the user, without its name and password."""
    found = re.search(r"^user boxoffice on >PASSWORD (.+)$", PAGE, re.MULTILINE)
    assert found is not None, "the page has the line no more"
    return found[1].split()


def give(server: Any, rights: Sequence[str]) -> None:
    server.execute_command("ACL", "SETUSER", "boxoffice", "reset", "on", f">{PASSWORD}", *rights)
    server.execute_command("ACL", "LOG", "RESET")


@contextmanager
def administered(server: Valkey) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url()) as client:
        yield client
        client.execute_command("ACL", "DELUSER", "boxoffice")


def url_of_user(server: Valkey) -> str:
    return f"redis://boxoffice:{PASSWORD}@{HOST}:{server.port}/0"


async def use_everything(api: Api) -> None:
    """Sell, queue, watch, register a document: what touches Redis."""
    assert await reserve_first_seat(api) == "ReserveSuccess"
    organiser = new_token("organise")
    event_id = await publish_event(api, organiser)
    given = {"eventId": event_id, "enabled": True}
    assert (await api.mutate("configureWaitingRoom", given, organiser))["__typename"] == "EventSuccess"
    buyer = new_token()
    assert (await api.mutate("joinQueue", {"eventId": event_id}, buyer))["__typename"] == "JoinQueueSuccess"
    assert (await api.mutate("leaveQueue", {"eventId": event_id}, buyer))["__typename"] == "LeaveQueueSuccess"
    stream = api.client.stream(
        "POST",
        "/graphql",
        json={"query": f'subscription {{ seatAvailability(eventId: "{event_id}") {{ version }} }}'},
        headers={"accept": "text/event-stream"},
    )
    async with stream as answer:
        async with asyncio.timeout(20):
            lines = answer.aiter_lines()
            while await anext(lines) != "event: next":
                pass


async def test_every_process_works_when_the_user_has_the_documented_rights(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path / "certificates")
    with running(Cluster(tmp_path / "cluster", certificates=certificates)) as cluster:
        for node in cluster.nodes:
            with node.client() as client:
                give(client, documented_rights())
        seeds = ",".join(f"{HOST}:{node.port}" for node in cluster.nodes)
        url = f"rediss://boxoffice:{PASSWORD}@{seeds}?ssl_ca_certs={certificates.ca_file}"

        doctor = await used_by_an_installation(tmp_path / "home", url)

        assert [node.ask("ACL", "LOG") for node in cluster.nodes] == [b"[]"] * 3
        assert doctor.returncode == 0, doctor.stdout + doctor.stderr


async def used_by_an_installation(home: Path, redis_url: str) -> subprocess.CompletedProcess[str]:
    """Use all of an installation's processes; returns what its doctor says."""
    here = Installation(home, redis_url=redis_url, jwt_secret=SECRET, rate_limit_per_minute="1000")
    here.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{here.port}", trust_env=False) as client:
            await use_everything(Api(client))
        until(here.answers)
        return await asyncio.to_thread(run, "doctor", "--data-dir", str(home))
    finally:
        here.end(signal.SIGTERM)


async def test_control_a_missing_right_shows_when_something_is_sold(
    redis_server: Valkey, postgres_url: str
) -> None:
    with administered(redis_server) as server:
        give(server, [*documented_rights(), "-evalsha"])
        async with api_on(postgres_url, url_of_user(redis_server)) as api:
            with pytest.raises(TimeoutError):
                await reserve_first_seat(api, deadline_seconds=1)

        assert server.acl_log()[0]["object"] == "evalsha"


@pytest.mark.parametrize(
    "words",
    [
        ("FLUSHALL",),
        ("FLUSHDB",),
        ("KEYS", "*"),
        ("CONFIG", "GET", "*"),
        ("ACL", "LIST"),
        ("SCRIPT", "FLUSH"),
        ("CLIENT", "KILL", "TYPE", "normal"),
        ("CLUSTER", "RESET"),
        ("REPLICAOF", "NO", "ONE"),
        ("SHUTDOWN",),
        ("GET", "another's"),
        ("SPUBLISH", "another's", "news"),
        ("EVAL", "return redis.call('GET', 'another')", "0"),
    ],
)
def test_the_user_may_not_do_more_than_the_product_does(redis_server: Valkey, words: tuple[str, ...]) -> None:
    with administered(redis_server) as server, redis.Redis.from_url(url_of_user(redis_server)) as user:
        give(server, documented_rights())

        with pytest.raises((NoPermissionError, redis.ResponseError), match=r"(?i)no permission|can't run"):
            user.execute_command(*words)


@pytest.mark.parametrize("word", ["serve", "worker", "doctor"])
def test_a_command_ends_with_one_sentence_when_redis_refuses_the_user(
    word: str, redis_server: Valkey, postgres_url: str, tmp_path: Path
) -> None:
    settings = production_settings(postgres_url, url_of_user(redis_server))

    done = run(word, "--data-dir", str(tmp_path), **settings)

    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"BOXOFFICE_REDIS_URL is refused by {HOST}")
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stderr
