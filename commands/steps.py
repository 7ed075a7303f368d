"""The single steps, as a deployment runs them one by one and `up` one after another."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from commands.configuration import settings_of_running
from commands.output import line, progress_shown
from settings import SettingsError

T = TypeVar("T")


def worker(data_dir: str | None) -> None:
    """Runs the background loops until SIGTERM."""
    from app import run_worker
    from commands.logs import log_as

    settings = settings_of_running(data_dir).require_serving()
    log_as(settings)
    run(run_worker(settings))


def migrate(data_dir: str | None) -> None:
    """Brings the database to this version's shape; many may run it at once."""
    from db.migrate import migrate as upgrade

    settings = settings_of_running(data_dir).require("database_url")
    run(upgrade(settings.database_url))
    line("The database has this version's shape.")


def demo(data_dir: str | None, *, invented_only: bool) -> None:
    """Loads the demo, unless it is there."""
    from services.catalogue.demo import load_demo

    settings = settings_of_running(data_dir).require("database_url", "redis_url")
    with progress_shown() as progress:
        run(load_demo(settings, progress, invented_only=invented_only))


def reindex(data_dir: str | None) -> None:
    """Builds a second search index from the database and swaps it in."""
    from workers.reindex import reindex as rebuild

    settings = settings_of_running(data_dir).require("database_url", "meilisearch_url")
    with progress_shown() as progress:
        run(rebuild(settings, progress))


def import_events(data_dir: str | None, file: str) -> None:
    """Brings in events with their venues and performers; doing it twice changes nothing."""
    from services.catalogue.import_files import import_events as bring_in

    path = existing(file)
    settings = settings_of_running(data_dir).require("database_url")
    with progress_shown() as progress:
        summary = run(bring_in(settings, path, progress))
    line(summary)


def import_plan(data_dir: str | None, file: str) -> None:
    """Stores a seating plan and prints what it holds, and its id; doing it twice changes nothing."""
    from services.catalogue.import_files import import_plan as bring_in

    path = existing(file)
    settings = settings_of_running(data_dir).require("database_url")
    line(run(bring_in(settings, path)))


def print_schema() -> None:
    """Prints the schema in its definition language."""
    from schema.schema import sdl

    line(sdl().rstrip())


def existing(file: str) -> Path:
    """The path of a file that is there.

    Raises:
        SettingsError: when it is not.
    """
    path = Path(file)
    if not path.is_file():
        raise SettingsError(f"There is no file {file}.")
    return path


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs it on uvloop to its end.

    Raises:
        SettingsError: nothing listens where a part should be.
    """
    import uvloop

    try:
        return uvloop.run(work)
    except ConnectionError as fault:
        raise SettingsError(
            f"A part cannot be reached ({fault}): start everything with `boxoffice up`, "
            "or check the addresses that are set."
        ) from fault
