"""`boxoffice import`: import files, and describe the result in a sentence."""

import asyncio
import hashlib
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from db.queries.seating_plans import NewSeatingPlan, store_seating_plan
from db.queries.users import ensure_user
from db.session import Database
from domain.errors import InvalidInput
from domain.ids import Kind, public_id, user_id_of
from domain.seating_plan import MOST_BYTES, Plan, parse_seating_plan
from kit.ids import new_uuid
from services.catalogue.import_catalogue import SOURCE, ImportReport, Progress, import_catalogue
from services.catalogue.imports.listings import Given
from services.catalogue.imports.reading import read_catalogue


class DatabaseAddress(Protocol):
    """The setting that an import needs."""

    @property
    def database_url(self) -> str:
        """The URL of the database."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How events are imported: what is given beside the file, whose they become, whether to publish them.

    Keys of the file are those of earlier imports with the same `source`; `organiser` is a user's subject.
    """

    given: Given = field(default_factory=Given)
    source: str = SOURCE
    organiser: str | None = None
    publish: bool = False


async def import_events(
    settings: DatabaseAddress, file: Path, options: ImportOptions, progress: Progress
) -> str:
    """Import a file of events as drafts, with the venues and performers beside it; describe the result.

    Raises:
        InvalidInput: Naming every refused line with its reasons; nothing is written.
    """
    started = time.monotonic()
    database = Database(settings.database_url, most=1)
    try:
        catalogue = await asyncio.to_thread(read_catalogue, file, options.given)
        report = await import_catalogue(
            database,
            catalogue,
            progress,
            source=options.source,
            organiser_id=await _organiser(database, options.organiser),
            publish_at=datetime.now(UTC) if options.publish else None,
        )
    finally:
        await database.close()
    return f"{_summary(report)} The import took {time.monotonic() - started:.1f} s."


async def _organiser(database: Database, subject: str | None) -> UUID | None:
    """Return the id of the user with a subject, who is stored where there is none yet."""
    if subject is None:
        return None
    user_id = user_id_of(subject)
    async with database.transaction() as connection:
        await ensure_user(connection, user_id, subject, None, None)
    return user_id


def _summary(report: ImportReport) -> str:
    events = f"{report.events} event{'' if report.events == 1 else 's'} ({report.new_events} new)"
    return (
        f"{events}, {report.venues} venues and {report.performers} performers are imported;"
        f" {report.published} drafts were published."
    )


async def import_plan(settings: DatabaseAddress, file: Path) -> str:
    """Store a seating plan for createEvent's seatingPlanId; return its description and, last, its id.

    The same file has the same id.

    Raises:
        InvalidInput: It cannot be read, or breaks the format; with the path of the first fault.
    """
    plan, document = await asyncio.to_thread(read_plan, file)
    digest = hashlib.sha256(document.encode()).hexdigest()
    database = Database(settings.database_url, most=1)
    try:
        kept = NewSeatingPlan(new_uuid(), plan.name, digest, document, plan.seat_count)
        plan_id = await store_seating_plan(database, kept)
    finally:
        await database.close()
    return f"{describe_plan(plan)}\nplan: {public_id(Kind.SEATING_PLAN, plan_id)}"


def read_plan(file: Path) -> tuple[Plan, str]:
    """Return the seating plan in a file, and the file's text.

    Raises:
        InvalidInput: It cannot be read, or breaks the format; with the path of the first fault.
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            raise InvalidInput(f"{file.name} is larger than {MOST_BYTES // 1_000_000} MB.")
        content = file.read_bytes()
        return parse_seating_plan(content), content.decode()
    except OSError as error:
        raise InvalidInput(f"{file.name} cannot be read: {error.strerror}.") from error


def describe_plan(plan: Plan) -> str:
    """Describe a plan in lines: its size, and its seats by section and by category."""
    lines = [f"{plan.name}: {_seats(plan.seat_count)}, {plan.width} by {plan.height} units."]
    lines += [f"  section {zone.name}: {_seats(zone.seat_count)}" for zone in plan.zones if zone.seat_count]
    lines += [f"  category {name}: {_seats(seats)}" for name, seats in plan.seats_by_category().items()]
    return "\n".join(lines)


def _seats(count: int) -> str:
    return f"{count} seat{'' if count == 1 else 's'}" if count else "no seats"
