"""`boxoffice up` from the command line: start, kill, restart, stop."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from devservices.part import read_pid
from devservices.ports import free_port, is_free, is_listening
from tests.installations import OURS, Installation, clean_environment, command, run, until

PLANTED = "a secret of the shell that starts it"
EMBEDDED = ("postgres", "redis", "stripe", "meilisearch")


def has_ended(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    # A secret of the person who types the command is nothing for PostgreSQL, Redis and the others.
    os.environ["PLANTED_SECRET"] = PLANTED
    installation = Installation(tmp_path_factory.mktemp("up"))
    installation.start()
    del os.environ["PLANTED_SECRET"]
    yield installation
    if not installation.process_ended():
        installation.end(signal.SIGTERM)


def test_everything_answers_on_loopback_alone_when_up(installation: Installation) -> None:
    assert set(installation.pids()) == set(OURS)
    assert installation.answers()
    for pid in installation.pids().values():
        for one in psutil.Process(pid).net_connections("inet"):
            if one.status == psutil.CONN_LISTEN:
                assert one.laddr.ip == "127.0.0.1"


def test_secrets_are_readable_by_their_owner_alone(installation: Installation) -> None:
    for path in ("secrets.json", "run/settings.json"):
        assert (installation.home / path).stat().st_mode & 0o777 == 0o600


def environment_of(installation: Installation, name: str) -> dict[str, str]:
    """The environment of a running process; empty where it does not run."""
    pid = read_pid(installation.home / "run" / f"{name}.pid")
    return {} if pid is None else psutil.Process(pid).environ()


def test_embedded_parts_inherit_no_secret(installation: Installation) -> None:
    for name in EMBEDDED:
        environment = environment_of(installation, name)
        assert PLANTED not in environment.values(), name
        assert not [each for each in environment if each.startswith("BOXOFFICE_")], name
    assert environment_of(installation, "postgres")["PATH"]


def test_no_process_of_ours_has_the_master_key_of_meilisearch(installation: Installation) -> None:
    secrets = json.loads((installation.home / "secrets.json").read_text())
    if not installation.setting("meilisearch_url"):
        pytest.skip("Meilisearch's binary is not installed: run `make setup`")
    ours = {name: environment_of(installation, name) for name in ("api-0", "api-1", "worker")}
    keys = {name: each["BOXOFFICE_MEILISEARCH_KEY"] for name, each in ours.items()}

    assert all(secrets["meilisearch_key"] not in each.values() for each in ours.values())
    assert keys["api-0"] == keys["api-1"] != keys["worker"]
    assert secrets["meilisearch_key"] not in (installation.home / "run" / "settings.json").read_text()


def test_no_command_line_shows_a_secret(installation: Installation) -> None:
    secrets = json.loads((installation.home / "secrets.json").read_text())
    assert installation.process is not None
    shown = [
        word
        for child in psutil.Process(installation.process.pid).children(recursive=True)
        for word in child.cmdline()
    ]

    assert len(secrets) >= 4
    assert any("devservices.stripe" in word for word in shown)
    assert not [name for name, secret in secrets.items() if any(secret in word for word in shown)]


def test_second_up_is_refused_when_the_data_dir_is_taken(installation: Installation) -> None:
    done = run("up", "--data-dir", str(installation.home), "--port", str(free_port()))

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        f"Another `boxoffice up` runs on {installation.home}: stop it, or choose another --data-dir.\n"
    )


def test_up_is_refused_when_the_port_is_taken(installation: Installation, tmp_path: Path) -> None:
    done = run("up", "--data-dir", str(tmp_path), "--port", str(installation.port))

    assert done.returncode == 2
    assert done.stderr == (
        f"Port {installation.port} is in use: stop the process that listens on it, "
        "or choose another with --port.\n"
    )
    assert list((tmp_path / "run").glob("*.pid")) == []


def test_api_and_worker_come_back_when_killed(installation: Installation) -> None:
    before = installation.pids()
    for name in ("api-0", "worker"):
        os.kill(before[name], signal.SIGKILL)

    until(lambda: installation.pids().get("api-0") not in (None, before["api-0"]))
    until(lambda: installation.pids().get("worker") not in (None, before["worker"]))
    until(installation.answers)
    assert installation.pids()["postgres"] == before["postgres"]


def test_api_answers_again_when_postgres_and_redis_were_killed(installation: Installation) -> None:
    before = installation.pids()
    for name in ("postgres", "redis"):
        os.kill(before[name], signal.SIGKILL)

    until(lambda: installation.pids().get("postgres") not in (None, before["postgres"]))
    until(lambda: installation.pids().get("redis") not in (None, before["redis"]))
    until(installation.answers)
    assert installation.pids()["api-0"] == before["api-0"]


def test_status_says_running_when_up(installation: Installation) -> None:
    shown = ""

    def is_well() -> bool:
        nonlocal shown
        done = run("status", "--data-dir", str(installation.home))
        shown = done.stdout
        return done.returncode == 0

    # Each process of the API looks for itself, and one may not have seen yet that PostgreSQL is back.
    until(is_well)

    assert f"postgres: running (pid {installation.pids()['postgres']})" in shown


def test_status_tells_programs_the_same_when_asked_for_json(installation: Installation) -> None:
    until(installation.answers)

    found: dict[str, Any] = {}

    def is_well() -> bool:
        nonlocal found
        done = run("status", "--json", "--data-dir", str(installation.home))
        found = json.loads(done.stdout)
        assert done.returncode == (0 if found["well"] else 1)
        known = found["processes"]
        return found["well"] and all(known.get(name, {}).get("memory_bytes") for name in ("api-0", "api-1"))

    until(is_well)

    assert {name: process["pid"] for name, process in found["processes"].items()} == {
        **found_pids(found),
        **installation.pids(),
    }
    assert found["parts"]["postgres"]["ok"] is True
    assert found["sale"] == {"holds_last_minute": 0, "booked_of_them": 0, "hottest": []}
    assert found["outbox"]["waiting"] == 0


def found_pids(found: dict[str, Any]) -> dict[str, int]:
    """The process of Meilisearch, if it is installed."""
    return {name: each["pid"] for name, each in found["processes"].items() if name == "meilisearch"}


def test_status_goes_on_when_watching(installation: Installation) -> None:
    until(installation.answers)
    words = command("status", "--watch", "--json", "--data-dir", str(installation.home))
    with subprocess.Popen(
        words, cwd="/", env=clean_environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first, second = (json.loads(process.stdout.readline()) for _ in range(2))
        process.send_signal(signal.SIGINT)

    assert first["at"] < second["at"]
    assert process.returncode == 0


def test_token_is_the_same_persons_when_made_with_the_running_secret(
    installation: Installation,
) -> None:
    done = run("token", "--user", "somebody", "--data-dir", str(installation.home))

    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert done.stdout.count(".") == 2


def test_everything_ends_and_starts_again_when_up_is_killed(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.start()
    left = installation.pids()
    secrets = (tmp_path / "secrets.json").read_text()
    assert installation.end(signal.SIGKILL) == -signal.SIGKILL

    installation.start()

    assert all(has_ended(pid) for pid in left.values())
    assert installation.answers()
    assert (tmp_path / "secrets.json").read_text() == secrets
    assert installation.end(signal.SIGINT) == 0
    assert installation.pids() == {}
    assert is_free(installation.port)


def test_up_continues_when_all_of_it_was_killed_at_once(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.start()
    pids = [*installation.pids().values()]
    assert installation.process is not None
    for pid in (installation.process.pid, *pids):
        os.kill(pid, signal.SIGKILL)
    installation.process.wait()

    installation.start()

    assert installation.answers()
    assert installation.end(signal.SIGTERM) == 0
    assert not is_listening(installation.port)
