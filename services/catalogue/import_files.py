"""`boxoffice import`: import files, and describe the result in a sentence."""

import asyncio
import hashlib
import time
from pathlib import Path
from typing import Protocol

from db.queries.seating_plans import NewSeatingPlan, store_seating_plan
from db.session import Database
from domain.errors import InvalidInput
from domain.ids import Kind, public_id
from domain.seating_plan import MOST_BYTES, Plan, parse_seating_plan
from kit.ids import new_uuid
from services.catalogue.files import read_catalogue
from services.catalogue.import_catalogue import Progress, import_catalogue


class DatabaseAddress(Protocol):
    """The setting that an import needs."""

    @property
    def database_url(self) -> str:
        """The URL of the database."""


async def import_events(settings: DatabaseAddress, file: Path, progress: Progress) -> str:
    """Import a file of events, with the venues and performers in the same folder.

    Raises:
        InvalidInput: With the file, the line and the field of the first fault; nothing is written.
    """
    started = time.monotonic()
    database = Database(settings.database_url, most=1)
    try:
        catalogue = await asyncio.to_thread(read_catalogue, file)
        report = await import_catalogue(database, catalogue, progress)
    finally:
        await database.close()
    return (
        f"{report.events} events ({report.new_events} of them new), {report.venues} venues and"
        f" {report.performers} performers are in after {time.monotonic() - started:.1f} s."
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
