"""The data dir: its lock, the published settings, and processes that an earlier run left."""

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from devservices.part import (
    LEFTOVER_SECONDS,
    PartError,
    end_processes,
    processes,
    read_pid,
    write_atomically,
)
from settings import Settings


@contextmanager
def exclusive(home: Path) -> Iterator[None]:
    """Locks the data dir for this process; the kernel releases the lock when the process ends.

    Raises:
        PartError: another `up` has the lock, or the data dir cannot be created.
    """
    run = home / "run"
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        run.mkdir(exist_ok=True)
    except OSError as fault:
        raise PartError(
            f"The data dir {home} cannot be created ({fault.strerror}): choose another --data-dir."
        ) from fault
    with (run / "up.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PartError(
                f"Another `boxoffice up` runs on {home}: stop it, or choose another --data-dir."
            ) from None
        write_atomically(run / "up.pid", f"{os.getpid()}\n")
        try:
            yield
        finally:
            (run / "up.pid").unlink(missing_ok=True)


def is_running(home: Path) -> bool:
    """Whether an `up` has the lock of this data dir."""
    try:
        with (home / "run" / "up.lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def publish_settings(home: Path, settings: Settings) -> None:
    """Writes the settings of `up` for other commands such as `token` and `status`; readable by its owner."""
    variables = json.dumps(settings.environment_variables(), indent=1)
    write_atomically(home / "run" / "settings.json", variables + "\n", mode=0o600)


def published_settings(home: Path) -> dict[str, str]:
    """The settings of the `up` that runs on this data dir; empty when none runs."""
    if not is_running(home):
        return {}
    try:
        found: dict[str, str] = json.loads((home / "run" / "settings.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def end_leftovers(home: Path) -> None:
    """Ends the processes that a killed `up` left on this data dir."""
    files = [path for path in (home / "run").glob("*.pid") if path.name != "up.pid"]
    pids = [pid for path in files if (pid := read_pid(path)) is not None]
    leftovers = [found for found in processes(pids) if works_below(found, home)]
    end_processes(leftovers, signal.SIGTERM, LEFTOVER_SECONDS)
    for path in files:
        path.unlink(missing_ok=True)


def works_below(process: psutil.Process, home: Path) -> bool:
    """Whether its working directory is in the data dir; that of a stranger with a reused pid is not."""
    try:
        return Path(process.cwd()).is_relative_to(home.resolve())
    except psutil.Error:
        return False
