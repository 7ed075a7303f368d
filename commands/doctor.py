"""`boxoffice doctor`: compare the stores, list the differences, and repair those that can be repaired."""

import asyncio
import time
from datetime import timedelta

from commands.configuration import settings_of_running
from commands.output import line, progress_shown
from commands.steps import run
from db.queries.replication import read_replication
from db.session import Database
from services.context import ServiceContext, reading
from services.doctor.examine import Documents, Finding, examine
from services.ordering.outbox import deliver
from settings import Settings

# Work in flight differs for a moment, and nothing is in flight for longer than this.
LOOK_AGAIN_SECONDS = 10
REPAIR_SECONDS = 20
WELL, DIFFERENT = 0, 1


def doctor(data_dir: str | None, *, repair: bool, days: int) -> int:
    """Print every difference; the exit status is 1 where one is left."""
    return run(_doctor(settings_of_running(data_dir).require_serving(), repair, timedelta(days=days)))


async def _doctor(settings: Settings, repair: bool, since: timedelta) -> int:
    from parts import build_parts, check_redis
    from workers.indexing import search_engine

    await check_redis(settings)
    parts = build_parts(settings)
    engine = search_engine(settings)
    await parts.channels.open()
    try:
        await say_standby(parts.database, settings)
        found = await lasting(parts.context, engine, since)
        show(found, repair=repair)
        if not found:
            return WELL
        return await _repair(parts.context, engine, since, found) if repair else DIFFERENT
    finally:
        await parts.close(grace_seconds=1.0)


async def say_standby(database: Database, settings: Settings) -> None:
    """Say whether commits wait for a standby of PostgreSQL; in production, warn where they do not."""
    replication = await reading(read_replication(database))
    warning = "warning: " if replication.may_lose and settings.environment == "production" else ""
    line(f"{warning}standby of PostgreSQL: {replication.sentence}")


async def lasting(context: ServiceContext, engine: Documents | None, since: timedelta) -> list[Finding]:
    """Return the differences that two examinations find, by kind and subject; one is enough if it finds none.

    Raises:
        Unavailable: PostgreSQL or Redis does not answer.
    """
    with progress_shown() as progress:
        first = await examine(context, engine, since, progress)
    if not first:
        return []
    line(f"{len(first)} differences; looking again, since work in flight differs for a moment")
    with progress_shown() as progress:
        for second in range(LOOK_AGAIN_SECONDS):
            progress(second + 1, LOOK_AGAIN_SECONDS, "seconds")
            await asyncio.sleep(1)
    known = {one.key for one in first}
    with progress_shown() as progress:
        second_look = await examine(context, engine, since, progress)
    return [one for one in second_look if one.key in known]


async def _repair(
    context: ServiceContext, engine: Documents | None, since: timedelta, found: list[Finding]
) -> int:
    """Repair what can be repaired, run the follow-up tasks, and examine again."""
    for one in found:
        if one.repair is not None:
            await one.repair(context)
    keys = {one.key for one in found}
    left, deadline = found, time.monotonic() + REPAIR_SECONDS
    while left and time.monotonic() < deadline:
        while await deliver(context):
            pass
        left = [one for one in await examine(context, engine, since) if one.key in keys]
        if all(one.repair is None for one in left):
            break
        await asyncio.sleep(0.5)
    line(f"{len(found) - len(left)} repaired, {len(left)} left")
    if left:
        show(left, repair=True)
    return DIFFERENT if left else WELL


def show(found: list[Finding], *, repair: bool) -> None:
    """Print a table of differences, or one line where there are none."""
    from rich.console import Console
    from rich.table import Table

    if not found:
        line("PostgreSQL, Redis, Stripe and the search index agree.")
        return
    table = Table(show_lines=True)
    for name in ("where", "what", "difference", "what to do"):
        table.add_column(name, overflow="fold")
    for one in found:
        table.add_row(one.where.value, one.subject, one.sentence, what_to_do(one, repair=repair))
    Console().print(table)


def what_to_do(one: Finding, *, repair: bool) -> str:
    """Return what happens to a difference, or what a person must do."""
    if one.repair is None:
        return one.advice
    return "It is being repaired." if repair else "boxoffice doctor --repair repairs it."
