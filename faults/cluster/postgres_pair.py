"""A PostgreSQL primary with a standby; either can become the other."""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from devservices.part import PartError, processes
from devservices.ports import HOST, free_port
from devservices.postgres import DATABASE, DURABLE, ROLE, SETTINGS, Postgres, program

_REPLICATION = {
    "wal_level": "replica",
    "max_wal_senders": "8",
    "wal_keep_size": "64MB",
    "hot_standby": "on",
    "wal_receiver_status_interval": "1s",
    "wal_receiver_timeout": "5s",
    "wal_sender_timeout": "5s",
}
_FAILOVER = "failover.conf"
_WAIT_SECONDS = 30.0


class ReplicatedPostgres(Postgres):
    """One of the two servers."""

    def __init__(self, home: Path, letter: str, password: str) -> None:
        super().__init__(home, password, free_port())
        self.name = f"postgres-{letter}"

    def prepare(self) -> None:
        fresh = not (self.directory / "PG_VERSION").exists()
        super().prepare()
        with (self.directory / "pg_hba.conf").open("a") as rules:
            rules.write(f"host replication {ROLE} {HOST}/32 scram-sha-256\n")
        if fresh:
            self.run_once(
                self.directory,
                ["postgres", "--single", "-D", str(self.directory), "postgres"],
                f"ALTER ROLE {ROLE} REPLICATION; GRANT pg_monitor TO {ROLE};\n",
            )
            with (self.directory / "postgresql.conf").open("a") as settings:
                settings.write(f"include_if_exists = '{_FAILOVER}'\n")

    def command(self) -> Sequence[str]:
        chosen = {**SETTINGS, **DURABLE, **_REPLICATION, "port": str(self.port)}
        options = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
        return [program("postgres"), "-D", str(self.directory), *options]

    def require_standby(self, *, wanted: bool) -> None:
        """Make commits wait for a standby, or not."""
        names = "*" if wanted else ""
        (self.directory / _FAILOVER).write_text(f"synchronous_standby_names = '{names}'\n")
        assert self.process is not None, "it was launched"
        self.process.send_signal(signal.SIGHUP)

    def follow(self, primary: "ReplicatedPostgres") -> None:
        """Become a standby of the primary, from a copy of its data; returns when it has caught up.

        Raises:
            PartError: The copy failed, or it does not catch up.
        """
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(self.directory, "nobody")
        source = f"host={HOST} port={primary.port} user={ROLE} password={self.password}"
        words = ["pg_basebackup", "-d", source, "-D", str(self.directory), "-X", "stream", "-c", "fast", "-R"]
        self.run_once(self.directory, words)
        (self.directory / _FAILOVER).unlink(missing_ok=True)
        self.start()
        _until(lambda: self.receiver() is not None, f"{self.name} follows nobody")

    def promote(self) -> None:
        """Become a primary that waits for no standby."""
        (self.directory / _FAILOVER).unlink(missing_ok=True)
        self.run_once(self.directory, ["pg_ctl", "promote", "-D", str(self.directory), "-w", "-t", "20"])

    def receiver(self) -> psutil.Process | None:
        """A standby's process that receives what the primary writes."""
        if self.process is None:
            return None
        with contextlib.suppress(psutil.Error):
            for head in processes([self.process.pid]):
                for child in head.children():
                    if any("walreceiver" in word for word in child.cmdline()):
                        return child
        return None


class PostgresPair:
    """The primary, and the standby that has all of its commits."""

    def __init__(self, home: Path, password: str) -> None:
        self.primary, self.standby = (ReplicatedPostgres(home, letter, password) for letter in "ab")

    @property
    def servers(self) -> list[ReplicatedPostgres]:
        """Both."""
        return [self.primary, self.standby]

    def start(self) -> None:
        """Start the primary, then the standby as its copy. Raises: PartError."""
        self.primary.start()
        self.standby.follow(self.primary)
        self.primary.require_standby(wanted=True)

    def fail_over(self) -> None:
        """Promote the standby of a primary that is dead. Raises: PartError."""
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary

    def restore(self) -> None:
        """Make the old primary the standby of the new one. Raises: PartError."""
        self.standby.follow(self.primary)
        self.primary.require_standby(wanted=True)

    def url_at(self, port: int, host: str = HOST) -> str:
        """The address of the database behind a port that leads to the primary."""
        return f"postgresql://{ROLE}:{self.primary.password}@{host}:{port}/{DATABASE}"


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise PartError(what)
        time.sleep(0.05)
