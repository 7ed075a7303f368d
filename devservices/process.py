"""Boxoffice's processes as supervised parts: the API, the worker, and one-shot commands."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import psutil

from devservices.part import Part, PartError
from settings import Settings

ROOT = Path(__file__).parent.parent


def importable() -> dict[str, str]:
    """The environment in which a child can import the packages, installed or from a checkout."""
    inherited = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([str(ROOT), *([inherited] if inherited else [])])
    return {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}


class Command(Part):
    """One of `boxoffice`'s commands, with the settings in its environment."""

    stop_stage = 1

    def __init__(self, home: Path, name: str, words: Sequence[str], settings: Settings) -> None:
        super().__init__(home, settings.port)
        self.name = name
        self.words = words
        self.settings = settings

    @property
    def directory(self) -> Path:
        return self.home / "run"

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "cli", *self.words]

    def environment(self) -> Mapping[str, str]:
        settings = replace(self.settings, process_name=self.name)
        return {**importable(), **settings.environment_variables()}

    def inherited(self) -> Mapping[str, str]:
        """Everything: the settings of tracing and of the runtime reach our own processes."""
        return os.environ

    def is_ready(self) -> bool:
        return True

    def begin(self) -> subprocess.Popen[bytes]:
        """Starts it with inherited output, without waiting."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(  # noqa: S603 - a constant command, no shell
            [*self.death_wrapper(), *self.command()],
            cwd=self.directory,
            env={**self.inherited(), **self.environment()},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self.process

    def run_to_end(self) -> None:
        """Starts it with inherited output and waits until it ends.

        Raises:
            PartError: it fails; its output has the reason.
        """
        process = self.begin()
        try:
            status = process.wait()
        finally:
            self.stop()
        if status:
            raise PartError(f"`boxoffice {' '.join(self.words)}` failed; its output is above.")


class Api(Command):
    """One API process. Several share the port by SO_REUSEPORT (docs/adr/one-port-many-processes.md)."""

    stop_seconds = 15.0

    def __init__(self, home: Path, number: int, settings: Settings) -> None:
        super().__init__(home, f"api-{number}", ["serve"], settings)

    def is_ready(self) -> bool:
        """Whether this process itself listens: API processes share one port."""
        if self.process is None:
            return False
        try:
            open_ports = psutil.Process(self.process.pid).net_connections("inet")
        except psutil.Error:
            return False
        return any(one.status == psutil.CONN_LISTEN and one.laddr.port == self.port for one in open_ports)
