"""Supervised parts: after kill -9 they restart on their data and port."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis

from devservices.meilisearch import Meilisearch, find_binary
from devservices.part import Part, read_pid
from devservices.postgres import Postgres
from devservices.supervisor import Supervisor
from devservices.valkey import Valkey

DEADLINE_SECONDS = 30.0


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(said.append)
    yield supervisor
    supervisor.stop()


@pytest.fixture
def postgres(tmp_path: Path, supervisor: Supervisor) -> Postgres:
    part = Postgres(tmp_path, password="test")
    supervisor.start([part])
    return part


@pytest.fixture
def valkey(tmp_path: Path, supervisor: Supervisor) -> Valkey:
    part = Valkey(tmp_path, password="test")
    supervisor.start([part])
    return part


def until(condition: Callable[[], bool], meanwhile: Callable[[], None] = lambda: None) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        meanwhile()
        time.sleep(0.02)


def kill_and_heal(supervisor: Supervisor, part: Part) -> int:
    """Kills a part with -9 and supervises until it is ready again; returns its new pid."""
    assert part.process is not None
    killed = part.process.pid
    psutil.Process(killed).kill()
    part.process.wait()
    until(
        lambda: part.is_alive() and part.is_ready(),
        lambda: supervisor.check_once(time.monotonic()),
    )
    assert part.process.pid != killed
    return part.process.pid


async def test_rows_are_there_when_postgres_was_killed(supervisor: Supervisor, postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.url())
    await connection.execute("CREATE TABLE kept (seat int)")
    await connection.execute("INSERT INTO kept VALUES (7)")
    address = postgres.url()

    kill_and_heal(supervisor, postgres)

    again = await asyncpg.connect(address)
    assert await again.fetchval("SELECT seat FROM kept") == 7
    await again.close()


async def test_postgres_starts_when_an_orphaned_backend_still_works(
    supervisor: Supervisor, postgres: Postgres
) -> None:
    connection = await asyncpg.connect(postgres.url())
    backend = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()"))
    backend.suspend()  # it cannot notice that its postmaster is gone, and holds shared memory

    kill_and_heal(supervisor, postgres)

    assert not backend.is_running() or backend.status() == psutil.STATUS_ZOMBIE


async def test_postgres_starts_when_its_lock_file_names_a_stranger(
    tmp_path: Path, supervisor: Supervisor, postgres: Postgres
) -> None:
    assert postgres.process is not None
    postgres.process.kill()
    postgres.process.wait()
    lock_file = tmp_path / "postgres" / "postmaster.pid"
    stranger = psutil.Process().ppid()
    rest = lock_file.read_text().split("\n", 1)[1]
    lock_file.write_text(f"{stranger}\n{rest}")

    postgres.start()

    connection = await asyncpg.connect(postgres.url())
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


def test_keys_are_there_when_valkey_was_killed(supervisor: Supervisor, valkey: Valkey) -> None:
    with redis.Redis.from_url(valkey.url()) as client:
        client.set("kept", "7")
        assert client.waitaof(1, 0, 5000)[0] == 1
    address = valkey.url()

    kill_and_heal(supervisor, valkey)

    with redis.Redis.from_url(address) as client:
        assert client.get("kept") == b"7"


def test_keys_are_there_when_the_log_has_a_torn_tail(
    tmp_path: Path, supervisor: Supervisor, valkey: Valkey
) -> None:
    with redis.Redis.from_url(valkey.url()) as client:
        client.set("kept", "7")
    valkey.stop()
    with append_only_file(tmp_path).open("ab") as log:
        log.write(b"*3\r\n$3\r\nSET\r\n$4\r\nto")

    valkey.start()

    with redis.Redis.from_url(valkey.url()) as client:
        assert client.get("kept") == b"7"


def test_valkey_starts_empty_when_its_log_is_broken_in_the_middle(
    tmp_path: Path, supervisor: Supervisor, valkey: Valkey, said: list[str]
) -> None:
    with redis.Redis.from_url(valkey.url()) as client:
        client.mset({f"key{number}": "x" for number in range(100)})
    valkey.stop()
    log = append_only_file(tmp_path)
    whole = log.read_bytes()
    log.write_bytes(whole[:40] + b"garbage" + whole[47:])

    valkey.launch()
    # It listens for a moment before it has read the log, so the log has to be put aside first.
    until(
        lambda: (
            any((tmp_path / "redis").glob("appendonlydir.broken-*"))
            and valkey.is_alive()
            and valkey.is_ready()
        ),
        lambda: supervisor.check_once(time.monotonic()),
    )

    with redis.Redis.from_url(valkey.url()) as client:
        assert client.dbsize() == 0


def append_only_file(home: Path) -> Path:
    return next((home / "redis" / "appendonlydir").glob("*.incr.aof"))


@pytest.mark.skipif(find_binary() is None, reason="no Meilisearch binary on this machine")
def test_meilisearch_is_healthy_again_when_it_was_killed(tmp_path: Path, supervisor: Supervisor) -> None:
    part = Meilisearch(tmp_path, "test-master-key-of-enough-bytes", find_binary() or Path())
    supervisor.start([part])
    address = part.url()

    kill_and_heal(supervisor, part)

    assert part.url() == address


@pytest.mark.skipif(find_binary() is None, reason="no Meilisearch binary on this machine")
def test_meilisearch_starts_afresh_when_idle_and_overgrown(
    tmp_path: Path, supervisor: Supervisor, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Meilisearch(tmp_path, "test-master-key-of-enough-bytes", find_binary() or Path())
    supervisor.start([part])
    old = part.process
    monkeypatch.setattr("devservices.meilisearch.MAX_PRIVATE_BYTES", 0)
    supervisor.watched[0].launched_at -= 31.0

    supervisor.check_once(time.monotonic())
    assert old is not None
    old.wait()
    until(
        lambda: part.is_alive() and part.is_ready(),
        lambda: supervisor.check_once(time.monotonic()),
    )

    assert part.process is not old
    assert said[0] == "meilisearch keeps unused memory; restarting it"


def test_pid_file_names_the_new_process_when_a_part_was_restarted(
    supervisor: Supervisor, valkey: Valkey, said: list[str]
) -> None:
    new_pid = kill_and_heal(supervisor, valkey)

    assert read_pid(valkey.pid_file) == new_pid
    assert said == ["redis was ended by signal 9; restarting it"]


def test_pauses_grow_when_a_part_dies_again_and_again(supervisor: Supervisor, valkey: Valkey) -> None:
    watched = supervisor.watched[0]
    pauses = []
    for _ in range(9):
        watched.launched_at = 100.0
        watched.record_death(101.0)
        assert watched.launch_at is not None
        pauses.append(watched.launch_at - 101.0)
    watched.record_death(100.0 + 31.0)

    assert pauses == [0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert watched.launch_at == 131.0


def test_stranger_lives_when_the_pid_file_names_it(tmp_path: Path, valkey: Valkey) -> None:
    valkey.stop()
    stranger = psutil.Popen(["sleep", "60"], cwd="/")
    valkey.pid_file.write_text(f"{stranger.pid}\n")

    valkey.start()

    assert stranger.is_running() and stranger.status() != psutil.STATUS_ZOMBIE
    stranger.kill()
    stranger.wait()


def test_leftover_is_ended_when_a_part_starts_on_its_data(tmp_path: Path, valkey: Valkey) -> None:
    leftover = psutil.Process(valkey.process.pid if valkey.process else 0)
    second = Valkey(tmp_path, password="test")

    second.start()

    assert not leftover.is_running() or leftover.status() == psutil.STATUS_ZOMBIE
    assert second.is_ready()
    second.stop()
