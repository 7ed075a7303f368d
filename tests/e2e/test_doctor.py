"""`boxoffice doctor` on a running installation: it reports and repairs differences."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest
import redis

from devservices.meilisearch import find_binary
from domain.ids import Kind, parse_id
from reservations.keys import event_keys
from tests.e2e.conftest import ROOT, LiveServer, publish_event, serving


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, Path]]:
    home = tmp_path_factory.mktemp("doctor")
    with serving(home) as server:
        yield server, home / "data"


def doctor(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", "doctor", "--data-dir", str(home), *words]
    wide = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, env=wide)


def reserve(server: LiveServer, event_id: str) -> None:
    query = "mutation ($input: ReserveInput!) { reserve(input: $input) { __typename } }"
    selection = {"bestAvailable": {"quantity": 2}}
    answer = server.ask(query, {"input": {"eventId": event_id, "selection": selection}}, server.buyer)
    assert answer["reserve"]["__typename"] == "ReserveSuccess"


def flip_a_byte(settings: dict[str, str], event_id: UUID) -> None:
    with redis.Redis.from_url(settings["BOXOFFICE_REDIS_URL"]) as client:
        client.setrange(event_keys(event_id).places, 40, "B")


def is_settled(settings: dict[str, str]) -> bool:
    """Whether the index is built and up to date, so that no pending task writes a document."""

    async def look() -> bool:
        connection = await asyncpg.connect(settings["BOXOFFICE_DATABASE_URL"])
        try:
            ready = "SELECT ready AND NOT EXISTS (SELECT FROM search_outbox) FROM search_state"
            return bool(await connection.fetchval(ready))
        finally:
            await connection.close()

    return asyncio.run(look())


def delete_the_document(settings: dict[str, str], event: str) -> None:
    url = f"{settings['BOXOFFICE_MEILISEARCH_URL']}/indexes/events/documents/{event}"
    key = {"Authorization": f"Bearer {settings['BOXOFFICE_MEILISEARCH_KEY']}"}

    def status() -> int:
        return httpx.get(url, headers=key).status_code

    until(lambda: is_settled(settings) and status() == 200, "the worker never indexed it")
    answer = httpx.delete(url, headers=key)
    assert answer.status_code == 202, answer.text
    until(lambda: status() == 404, "the engine never deleted it")


def until(is_so: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.1)


@pytest.mark.timeout(240)
def test_all_is_well_again_when_a_byte_and_a_document_were_lost(
    installation: tuple[LiveServer, Path],
) -> None:
    if find_binary() is None:
        pytest.skip("no Meilisearch binary")
    server, home = installation
    event = publish_event(server, "Examined")
    reserve(server, event)
    settings = json.loads((home / "run" / "settings.json").read_text())
    delete_the_document(settings, event)
    flip_a_byte(settings, parse_id(event, Kind.EVENT))

    found = doctor(home)
    repaired = doctor(home, "--repair")
    after = doctor(home)

    assert found.returncode == 1, found.stdout + found.stderr
    assert "'Examined' is published and not in the index." in found.stdout
    assert "doctor --repair repairs it" in found.stdout
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    assert " repaired, 0 left" in repaired.stdout
    assert (after.returncode, after.stdout.splitlines()[-1]) == (
        0,
        "PostgreSQL, Redis, Stripe and the search index agree.",
    )
    with redis.Redis.from_url(settings["BOXOFFICE_REDIS_URL"]) as client:
        assert client.getrange(event_keys(parse_id(event, Kind.EVENT)).places, 40, 40) == b"A"


def test_it_says_what_to_do_when_nothing_runs(tmp_path: Path) -> None:
    done = doctor(tmp_path)

    assert done.returncode == 2
    assert "is not set" in done.stderr
