"""Installations to measure: `boxoffice up` in a process of its own, pinned to one core."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import jwt
import psutil

from devservices.ports import free_port, is_listening

SERVER_CORE, LOAD_CORE = 0, 1
ROOT = Path(__file__).parents[1]
OUT = Path(__file__).parent / "out"
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """A process that is measured."""

    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Installation:
    """A running installation with one API process."""

    port: int
    data_dir: Path
    process: subprocess.Popen[bytes]

    def token(self, user: str, *scopes: str) -> str:
        """A token signed with the installation's secret; scope buy unless others are given."""
        claims = {"sub": user, "scope": " ".join(scopes or ("buy",)), "exp": int(time.time()) + 3600}
        return jwt.encode(claims, self.settings()["BOXOFFICE_JWT_SECRET"], "HS256")

    def settings(self) -> dict[str, str]:
        """The settings that it runs on, as environment variables."""
        settings: dict[str, str] = json.loads((self.data_dir / "run" / "settings.json").read_text())
        return settings

    def memory_mib(self) -> float:
        """Proportional set size of every process, shared pages counted once."""
        family = [psutil.Process(self.process.pid)]
        family += family[0].children(recursive=True)
        return float(sum(process.memory_full_info().pss for process in family) / 2**20)

    def api(self) -> psutil.Process:
        """The API process."""
        return psutil.Process(int((self.data_dir / "run" / "api-0.pid").read_text()))

    def isolate_api(self) -> Server:
        """Leave the API process alone on its core; every other part moves to the load's core."""
        api = self.api()
        for process in psutil.Process(self.process.pid).children(recursive=True):
            if process.pid != api.pid:
                with contextlib.suppress(psutil.Error):
                    process.cpu_affinity([LOAD_CORE])
        return Server(self.port, api.pid)


@contextlib.contextmanager
def open_installation(
    *, tree: Path = ROOT, settings: Mapping[str, str] | None = None
) -> Iterator[Installation]:
    """`boxoffice up` with one API process, every part pinned to one core.

    `tree` is the checkout to run, with its own .venv where it has one; `settings` are environment variables.
    """
    with tempfile.TemporaryDirectory(prefix="boxoffice-bench-") as directory:
        data_dir, port = Path(directory) / "data", free_port()
        command = ["taskset", "-c", str(SERVER_CORE), python_of(tree), "-m", "cli", "up", "--no-demo"]
        command += ["--port", str(port), "--data-dir", str(data_dir), "--workers", "1"]
        environment = {**environment_of(tree), **(settings or {})}
        process = subprocess.Popen(command, cwd=tree, env=environment, stdout=subprocess.DEVNULL)
        try:
            _wait_ready(port, process)
            yield Installation(port, data_dir, process)
        finally:
            process.terminate()
            process.wait(30)


def python_of(tree: Path) -> str:
    """The interpreter of a checkout's .venv; without one, this one."""
    own = tree / ".venv" / "bin" / "python"
    return str(own) if own.exists() else sys.executable


def environment_of(tree: Path) -> dict[str, str]:
    """The environment in which a checkout's own modules are imported, with no settings of ours in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BOXOFFICE_")}
    return {**kept, "PYTHONPATH": str(tree)}


def _wait_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200:
                return
        time.sleep(0.2)
    raise SystemExit("The installation did not start.")


@contextlib.contextmanager
def serving(command: list[str], port: int, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Another server on the servers' core, from when it listens."""
    command = ["taskset", "-c", str(SERVER_CORE), *command]
    process = subprocess.Popen(command, env={**os.environ, **(environment or {})})
    try:
        deadline = time.monotonic() + START_SECONDS
        while not is_listening(port) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        if not is_listening(port):
            raise SystemExit(f"{' '.join(command)} did not start.")
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(30)
