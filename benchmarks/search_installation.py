"""The parts of an installation on cores of their own, and what they use, for the search benchmark."""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jwt
import psutil

from benchmarks.client import Client
from benchmarks.installation import LOAD_CORE, SERVER_CORE
from benchmarks.load import cpu_seconds
from devservices.credentials import credentials_of
from devservices.meilisearch import Meilisearch
from devservices.part import Part
from devservices.ports import free_port
from devservices.process import Api, Command
from devservices.up import completed, embedded_parts
from settings import Settings

PARTS_CORE = SERVER_CORE


class SearchInstallation:
    """The parts of an installation, each started when its phase begins."""

    def __init__(self, home: Path) -> None:
        self.home = home
        wanted = Settings.load({}, None)
        wanted = replace(wanted, data_dir=home, port=free_port())
        credentials = credentials_of(home)
        self.parts = embedded_parts(wanted, credentials, home)
        with on_cores(*range(os.cpu_count() or 1)):
            for part in self.parts:
                part.start()
        self.settings = completed(wanted, credentials, self.parts)
        self.api = Api(home, 0, self.settings)
        self.worker = Command(home, "worker", ["worker"], self.settings)

    @property
    def engine(self) -> Meilisearch:
        """Meilisearch."""
        return next(part for part in self.parts if isinstance(part, Meilisearch))

    def restart_pinned(self) -> None:
        """Every part on its core, the API with them."""
        for part in self.parts:
            part.stop()
        with on_cores(PARTS_CORE):
            for part in self.parts:
                part.start()
        with on_cores(LOAD_CORE):
            self.api.start()

    def stop(self) -> None:
        """Everything, in order."""
        everything: list[Part] = [self.worker, self.api, *reversed(self.parts)]
        for part in everything:
            part.stop()

    def client(self) -> Client:
        """A connection of a signed-in buyer."""
        claims = {"sub": "bench|searcher", "scope": "buy", "exp": int(time.time()) + 36_000}
        return Client(self.settings.port, jwt.encode(claims, self.settings.jwt_secret, "HS256"))


@contextlib.contextmanager
def on_cores(*cores: int) -> Iterator[None]:
    """What is started inside runs on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(cores) & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_of(part: Part) -> float:
    """Seconds of CPU that a part has used so far."""
    assert part.process is not None
    return cpu_seconds(part.process.pid)


def pss_mib(part: Part) -> int:
    """Proportional set size of a part's process; mapped files that are in memory count."""
    assert part.process is not None
    return round(float(psutil.Process(part.process.pid).memory_full_info().pss) / 2**20)
