"""Whole installations: `boxoffice up` on its own data dir."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from devservices.part import read_pid
from devservices.ports import free_port
from domain.ids import user_id_of
from domain.viewer import Viewer
from kit.clock import utc_now
from services.identity.tokens import SecretTokens

ROOT = Path(__file__).parents[1]
DEADLINE_SECONDS = 60.0
READY = "Boxoffice is ready"
OURS = ("api-0", "api-1", "worker", "postgres", "redis", "stripe")


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.05)


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "cli", *words]


def clean_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BOXOFFICE_")}
    return {**kept, "PYTHONPATH": str(ROOT)}


def run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words),
        cwd="/",
        env={**clean_environment(), **settings},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )


class Installation:
    """One `up` on its own data dir and port."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.port = free_port()
        self.environment = {f"BOXOFFICE_{name.upper()}": value for name, value in settings.items()}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        output = self.home / "up.out"
        self.home.mkdir(exist_ok=True)
        words = ["--port", str(self.port), "--data-dir", str(self.home), "--workers", "2"]
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                command("up", "--no-demo", *words),
                cwd="/",
                env={**clean_environment(), **self.environment},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        until(lambda: READY in output.read_text() or self.process_ended())
        assert READY in output.read_text(), output.read_text()

    def process_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_SECONDS)

    def pids(self) -> dict[str, int]:
        found = {name: read_pid(self.home / "run" / f"{name}.pid") for name in OURS}
        return {name: pid for name, pid in found.items() if pid is not None}

    def setting(self, name: str) -> str:
        """One of its settings, by the name in lower case."""
        found: dict[str, str] = json.loads((self.home / "run" / "settings.json").read_text())
        return found[f"BOXOFFICE_{name.upper()}"]

    def token(self, subject: str, *scopes: str) -> str:
        """A bearer token signed with its secret."""
        viewer = Viewer(user_id_of(subject), subject, f"{subject}@example.org", subject, frozenset(scopes))
        tokens = SecretTokens(self.setting("jwt_secret"))
        return tokens.mint(viewer, utc_now() + timedelta(minutes=30))

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return bytes(answer.read())

    def answers(self) -> bool:
        try:
            return bool(self.get("/readyz"))
        except OSError:
            return False
