"""One supervised child process: start, readiness, stop.

The home (the data dir) holds `run/NAME.pid`, `run/NAME.port`, `log/NAME.log` and one folder of
data a part. The working directory of every child is inside the home: with it and the pid file, a
later `up` distinguishes its own leftovers from another process with the same pid.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import psutil

from devservices.ports import is_listening

POLL_SECONDS = 0.02
LEFTOVER_SECONDS = 3.0  # then kill: every part recovers from that


class PartError(Exception):
    """A part could not be started; the message names the part, the reason and its log."""


class Part(ABC):
    """A child process with a name, a home and a log. Subclasses define its command."""

    name: str
    stop_signal = signal.SIGTERM
    stop_stage = 0  # parts of a higher stage use those of a lower, and stop first
    stop_seconds = 10.0
    ready_seconds = 60.0

    def __init__(self, home: Path, port: int = 0) -> None:
        self.home = home.resolve()
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None

    # Defined by subclasses.

    def prepare(self) -> None:  # noqa: B027  # most parts need nothing
        """Prepares folders and ports, and initialises the data the first time."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """The program and its arguments."""

    def environment(self) -> Mapping[str, str]:
        """Variables added to those that it inherits."""
        return {}

    def inherited(self) -> Mapping[str, str]:
        """The variables of this process that the child gets, too: none with a secret in it."""
        return minimal_environment()

    def is_ready(self) -> bool:
        """Whether it can serve a request now."""
        return is_listening(self.port)

    def is_overgrown(self) -> bool:
        """Whether it is idle and keeps memory that a restart would release."""
        return False

    # Common to all parts.

    @property
    def directory(self) -> Path:
        return self.home / self.name

    @property
    def pid_file(self) -> Path:
        return self.home / "run" / f"{self.name}.pid"

    @property
    def log_file(self) -> Path:
        return self.home / "log" / f"{self.name}.log"

    def launch(self) -> None:
        """Starts the process without waiting for it, after ending leftovers of an earlier run."""
        for folder in (self.directory, self.pid_file.parent, self.log_file.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self.end_leftovers()
        self.prepare()
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                [*self.death_wrapper(), *self.command()],
                cwd=self.directory,
                env={**self.inherited(), **self.environment()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that Ctrl-C reaches the parts in order, from the supervisor
            )
        write_atomically(self.pid_file, f"{self.process.pid}\n")

    def start(self) -> None:
        """Launches and waits until ready.

        Raises:
            PartError: it exits or is not ready in time.
        """
        self.launch()
        self.wait_ready()

    def wait_ready(self) -> None:
        """Waits until it is ready.

        Raises:
            PartError: it exits or is not ready in time.
        """
        deadline = time.monotonic() + self.ready_seconds
        while not self.is_ready():
            if not self.is_alive():
                raise PartError(f"{self.name} exited while starting; see {self.log_file}.")
            if time.monotonic() > deadline:
                self.stop()
                raise PartError(
                    f"{self.name} was not ready in {self.ready_seconds:.0f} s; see {self.log_file}."
                )
            time.sleep(POLL_SECONDS)

    def how_it_ended(self) -> str:
        """How the process ended, for the supervisor's log."""
        status = self.process.returncode if self.process is not None else None
        if status is None:
            return "is not running"
        return f"was ended by signal {-status}" if status < 0 else f"exited with status {status}"

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def request_stop(self) -> None:
        """Sends the stop signal and returns at once."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)

    def stop(self) -> None:
        """Sends the stop signal, kills the process after a timeout, and removes its pid file."""
        self.request_stop()
        if self.process is not None:
            try:
                self.process.wait(self.stop_seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
        self.pid_file.unlink(missing_ok=True)

    def death_wrapper(self) -> Sequence[str]:
        """A prefix of the command that ends the child with its parent, on Linux."""
        return [*death_signal_wrapper(self.stop_signal), "--"] if SETPRIV else []

    def end_leftovers(self) -> None:
        """Ends processes that a killed `up` left running on this home."""
        end_processes(self.leftovers(), self.stop_signal, LEFTOVER_SECONDS)
        self.pid_file.unlink(missing_ok=True)

    def leftovers(self) -> list[psutil.Process]:
        """The process of the pid file, if it belongs to this home."""
        pid = read_pid(self.pid_file)
        mine = self.process.pid if self.is_alive() and self.process else None
        if pid is None or pid == mine:
            return []
        return [found for found in processes([pid]) if works_in(found, self.directory)]


INHERITED = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LANGUAGE", "LD_LIBRARY_PATH"}
)


def minimal_environment() -> dict[str, str]:
    """What a program needs of the environment to run: where things are, and the language."""
    return {name: value for name, value in os.environ.items() if name in INHERITED or name.startswith("LC_")}


SETPRIV = shutil.which("setpriv") if sys.platform == "linux" else None


def death_signal_wrapper(stop_signal: signal.Signals) -> list[str]:
    """The command prefix by which the kernel sends `stop_signal` when the parent dies, even by kill -9."""
    name = stop_signal.name.removeprefix("SIG")
    return [SETPRIV, "--pdeathsig", name] if SETPRIV else []


def processes(pids: Sequence[int]) -> list[psutil.Process]:
    """The existing processes with these pids."""
    found = []
    for pid in pids:
        try:
            found.append(psutil.Process(pid))
        except psutil.NoSuchProcess:
            continue
    return found


def works_in(process: psutil.Process, directory: Path) -> bool:
    """Whether this is the process's working directory; False when it cannot be read."""
    try:
        return bool(process.cwd() == str(directory))
    except psutil.Error:
        return False


def end_processes(
    targets: Sequence[psutil.Process], stop_signal: signal.Signals, grace_seconds: float
) -> None:
    """Signals all processes, waits `grace_seconds`, kills the rest."""
    for target in targets:
        ignoring_gone(partial(target.send_signal, stop_signal))
    _, alive = psutil.wait_procs(targets, timeout=grace_seconds)
    for target in alive:
        ignoring_gone(target.kill)
    psutil.wait_procs(alive, timeout=grace_seconds)


def ignoring_gone(action: Callable[[], object]) -> None:
    """Runs the action and ignores that the process has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        action()


def read_pid(path: Path) -> int | None:
    """The pid in a pid file; None without a file or a number."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Writes a small file; after a crash it is either the old one or the new one."""
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
