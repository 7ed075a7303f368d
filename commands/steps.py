"""The single steps that a deployment runs one by one, and `up` in a row."""

import argparse
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from commands.configuration import settings_of_running
from commands.output import line, progress_shown
from settings import SettingsError

T = TypeVar("T")


def worker(data_dir: str | None) -> None:
    """Run the background loops until SIGTERM."""
    from commands.logs import log_as
    from worker import run_worker

    settings = settings_of_running(data_dir, environment="production").require_serving()
    log_as(settings)
    run(run_worker(settings))


def migrate(data_dir: str | None) -> None:
    """Migrate the database to this version; several processes may do it at once."""
    from db.migrate import migrate as upgrade

    settings = settings_of_running(data_dir).require("database_url")
    run(upgrade(settings.session_url, has_pooler=bool(settings.database_direct_url)))
    line("The database is at this version's schema.")


def demo(data_dir: str | None, *, invented_only: bool) -> None:
    """Load the demo, unless it is loaded."""
    from services.catalogue.demo import load_demo

    settings = settings_of_running(data_dir).require("database_url", "redis_url")
    with progress_shown() as progress:
        run(load_demo(settings, progress, invented_only=invented_only))


def reindex(data_dir: str | None) -> None:
    """Build a second search index from the database, and swap it in."""
    from workers.reindex import reindex as rebuild

    settings = settings_of_running(data_dir).require("database_url", "meilisearch_url")
    with progress_shown() as progress:
        run(rebuild(settings, progress))


def search_keys(data_dir: str | None) -> None:
    """Creates the keys that the API and the worker use, and prints them; doing it twice changes nothing."""
    from devservices.meilisearch_keys import INDEXING, SEARCHING, create_keys

    settings = settings_of_running(data_dir).require("meilisearch_url", "meilisearch_key")
    try:
        create_keys(settings.meilisearch_url, settings.meilisearch_key)
    except OSError as fault:
        raise SettingsError(
            f"Meilisearch creates no keys ({fault}): BOXOFFICE_MEILISEARCH_KEY must be its master key here."
        ) from fault
    line(f"MEILISEARCH_SEARCH_KEY={SEARCHING.key(settings.meilisearch_key)}")
    line(f"MEILISEARCH_INDEX_KEY={INDEXING.key(settings.meilisearch_key)}")


def import_events(arguments: argparse.Namespace) -> None:
    """Import events with their venues and performers; a second import changes nothing."""
    from services.catalogue.import_files import ImportOptions
    from services.catalogue.import_files import import_events as import_file
    from services.catalogue.imports.listings import Given

    path = existing(arguments.file)
    settings = settings_of_running(arguments.data_dir).require("database_url")
    given = Given(
        timezone=arguments.timezone,
        city=arguments.city,
        country=arguments.country,
        currency=arguments.currency,
        price=arguments.price,
        capacity=arguments.capacity,
    )
    options = ImportOptions(given, arguments.source, arguments.organiser, arguments.publish)
    with progress_shown() as progress:
        summary = run(import_file(settings, path, options, progress))
    line(summary)


def import_plan(data_dir: str | None, file: str) -> None:
    """Store a seating plan, and print its description and id; a second time changes nothing."""
    from services.catalogue.import_files import import_plan as import_file

    path = existing(file)
    settings = settings_of_running(data_dir).require("database_url")
    line(run(import_file(settings, path)))


def print_schema() -> None:
    """Print the schema in its definition language."""
    from schema.schema import sdl

    line(sdl().rstrip())


def existing(file: str) -> Path:
    """Return the path of an existing file.

    Raises:
        SettingsError: when it is not.
    """
    path = Path(file)
    if not path.is_file():
        raise SettingsError(f"There is no file {file}.")
    return path


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on uvloop to its end.

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
