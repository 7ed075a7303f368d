"""/readyz shows the state of each part, within its deadline, with any part down and many callers."""

import asyncio
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from devservices.valkey import Valkey
from endpoints.health import Probe, Readiness
from tests.apis import Api, api_on

DEAD = "http://127.0.0.1:9"


async def readiness(api: Api) -> tuple[int, dict[str, Any]]:
    answer = await api.client.get("/readyz")
    return answer.status_code, answer.json()["parts"]


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey that the test may stop."""
    server = Valkey(tmp_path, password="test")
    server.start()
    yield server
    server.stop()


async def until_ready_is(api: Api, status: int) -> dict[str, Any]:
    """The parts, once that is the answer; a question about a part that hangs must not."""
    async with asyncio.timeout(20):
        while True:
            began = time.monotonic()
            found, parts = await readiness(api)
            assert time.monotonic() - began < 3
            if found == status:
                return parts


async def test_ready_although_what_is_optional_is_away(postgres_url: str, redis_url: str) -> None:
    async with api_on(
        postgres_url, redis_url, meilisearch_url=DEAD, meilisearch_key="x", stripe_api_base=DEAD
    ) as api:
        status, parts = await readiness(api)

    assert status == 200
    assert {name: (part["ok"], part["needed"]) for name, part in parts.items()} == {
        "api": (True, True),
        "postgres": (True, True),
        "redis": (True, True),
        "search": (False, False),
        "stripe": (False, False),
        "worker": (False, False),
    }
    assert parts["stripe"]["detail"] == "ConnectionRefusedError"
    assert parts["postgres"]["latencyMs"] > 0


async def test_unavailable_while_redis_is_killed_and_ready_when_it_is_back(
    postgres_url: str, own_redis: Valkey
) -> None:
    async with api_on(postgres_url, own_redis.url()) as api:
        before = await until_ready_is(api, 200)
        own_redis.stop()
        away = await until_ready_is(api, 503)
        own_redis.start()
        back = await until_ready_is(api, 200)

    assert (away["redis"]["ok"], away["postgres"]["ok"]) == (False, True)
    assert away["redis"]["since"] > before["redis"]["since"]
    assert away["postgres"]["since"] == before["postgres"]["since"]
    assert back["redis"]["since"] > away["redis"]["since"]


async def test_unavailable_in_time_while_redis_hangs(postgres_url: str, own_redis: Valkey) -> None:
    assert own_redis.process is not None
    process = psutil.Process(own_redis.process.pid)
    async with api_on(postgres_url, own_redis.url()) as api:
        await until_ready_is(api, 200)
        process.send_signal(signal.SIGSTOP)
        try:
            parts = await until_ready_is(api, 503)
            scraped = (await api.client.get("/metrics")).text
        finally:
            process.send_signal(signal.SIGCONT)
        assert parts["redis"]["detail"] == "no answer within 1.5 s"
        assert 'boxoffice_part_up{part="redis"} 0.0' in scraped
        await until_ready_is(api, 200)


async def test_unavailable_when_the_database_takes_no_writes(postgres_url: str, redis_url: str) -> None:
    async with api_on(f"{postgres_url}?options=-cdefault_transaction_read_only%3Don", redis_url) as api:
        status, parts = await readiness(api)

    assert (status, parts["postgres"]["ok"], parts["postgres"]["detail"]) == (503, False, "ReadOnly")


async def test_a_part_is_asked_once_when_a_thousand_want_to_know() -> None:
    asked = 0

    async def ask() -> str:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)
        return "3 late"

    now = 0.0
    ready = Readiness({"part": Probe(ask, needed=True)}, lambda: now)

    answers = await asyncio.gather(*(ready.states() for _ in range(1000)))
    assert asked == 1
    assert {answer["part"].detail for answer in answers} == {"3 late"}
    now = 0.9
    await ready.states()
    assert asked == 1
    now = 1.1
    await ready.states()
    assert asked == 2


async def test_what_costs_nothing_is_asked_every_time() -> None:
    stopping = False

    async def ask() -> None:
        if stopping:
            raise RuntimeError

    ready = Readiness({"api": Probe(ask, needed=True, costs_nothing=True)})
    assert (await ready.states())["api"].ok

    stopping = True

    assert not (await ready.states())["api"].ok
