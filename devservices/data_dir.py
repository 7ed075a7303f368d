"""The data dir as a whole: who runs on it, what settings they run with, what was left on it."""

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
    """Holds the data dir for this process; the kernel lets go of it however the process ends.

    Raises:
        PartError: when another `up` holds it, or it cannot be made.
    """
    run = home / "run"
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        run.mkdir(exist_ok=True)
    except OSError as fault:
        raise PartError(
            f"The data dir {home} cannot be made ({fault.strerror}): choose another --data-dir."
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
    """Whether an `up` holds this data dir now."""
    try:
        with (home / "run" / "up.lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def publish_settings(home: Path, settings: Settings) -> None:
    """Writes what `up` runs with, for `token`, `status` and the like; readable by its owner."""
    variables = json.dumps(settings.environment_variables(), indent=1)
    write_atomically(home / "run" / "settings.json", variables + "\n", mode=0o600)


def published_settings(home: Path) -> dict[str, str]:
    """What the `up` that runs on this data dir runs with; nothing when none runs."""
    if not is_running(home):
        return {}
    try:
        found: dict[str, str] = json.loads((home / "run" / "settings.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def end_leftovers(home: Path) -> None:
    """Ends every process of ours that a killed `up` left on this data dir."""
    files = [path for path in (home / "run").glob("*.pid") if path.name != "up.pid"]
    pids = [pid for path in files if (pid := read_pid(path)) is not None]
    victims = [found for found in processes(pids) if works_below(found, home)]
    end_processes(victims, signal.SIGTERM, LEFTOVER_SECONDS)
    for path in files:
        path.unlink(missing_ok=True)


def works_below(process: psutil.Process, home: Path) -> bool:
    """Whether its working directory lies in the data dir: a stranger with a reused pid does not."""
    try:
        return Path(process.cwd()).is_relative_to(home.resolve())
    except psutil.Error:
        return False
