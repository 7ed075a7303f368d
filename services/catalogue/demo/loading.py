"""Load the demo: invented events, and real concerts where their files are beside the clone."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from db.queries.catalogue import (
    BillEntry,
    EventDescription,
    NewEvent,
    NewPerformer,
    NewVenue,
    ids_by_external_id,
    lock_catalogue,
    upsert_performers,
    upsert_venues,
    write_events,
)
from db.queries.users import ensure_user
from db.session import Connection, Database
from domain.ids import user_id_of
from domain.korean_cities import city_of
from domain.layout import SeatMap
from domain.seating import build_seat_map
from domain.seating_plan import Plan, parse_seating_plan
from domain.states import EventState
from kit.ids import new_uuid
from services.catalogue.demo.programme import EVENTS, VENUES, DemoEvent
from services.catalogue.demo.seating_plans import arena, theatre
from services.catalogue.import_catalogue import (
    MAX_TICKETS_PER_ORDER,
    SOURCE,
    Progress,
    import_catalogue,
)
from services.catalogue.import_files import DatabaseAddress
from services.catalogue.imports.listings import Given
from services.catalogue.imports.reading import read_catalogue

ORGANISER = "demo-organiser"
# The files of real concerts are beside the repository where the project is developed; a clone has none.
REAL_CONCERTS = Path(__file__).resolve().parents[4] / "shared" / "data" / "events.jsonl.gz"
# The files of real concerts say neither city nor capacity, and some no price: for a demo a guess will do, a
# club's capacity and the most frequent price.
KOREAN_CLUBS = Given("Asia/Seoul", None, "KR", "KRW", "20000", 200, city_of)
_SOURCE = "demo"
_YEAR = timedelta(weeks=52)  # whole weeks, so that a Saturday stays one


async def load_demo(
    settings: DatabaseAddress,
    progress: Progress,
    *,
    real_concerts: Path = REAL_CONCERTS,
    invented_only: bool = False,
) -> None:
    """Load the demo; a second call changes nothing, and finishes an interrupted one."""
    database = Database(settings.database_url, most=1)
    now = datetime.now(UTC)
    try:
        await _write_programme(database, now, progress)
        if not invented_only and await asyncio.to_thread(real_concerts.is_file):
            await _write_concerts(database, real_concerts, now, progress)
    finally:
        await database.close()


async def _write_concerts(database: Database, real_concerts: Path, now: datetime, progress: Progress) -> None:
    """Import the real concerts, moved into the coming year, unless they were imported."""
    catalogue = await asyncio.to_thread(read_catalogue, real_concerts, KOREAN_CLUBS)
    first = [f"{SOURCE}:{catalogue.events[0].key}"]
    async with database.connection() as connection:
        if await ids_by_external_id(connection, "events", first):
            return
    await import_catalogue(
        database,
        catalogue,
        progress,
        organiser_id=user_id_of(ORGANISER),
        publish_at=now,
        when=upcoming(now),
    )


def upcoming(now: datetime) -> Callable[[datetime], datetime]:
    """Return a function that moves a date by 52-week years into the year from tomorrow."""
    first = now + timedelta(days=1)

    def moved(start: datetime) -> datetime:
        years = -((start - first) // _YEAR)
        return start + years * _YEAR

    return moved


async def _write_programme(database: Database, now: datetime, progress: Progress) -> bool:
    """Write the invented events in one transaction; return False where they exist."""
    async with database.transaction() as connection:
        await lock_catalogue(connection)
        names = [_external_id(event.key) for event in EVENTS]
        if await ids_by_external_id(connection, "events", names):
            return False
        plans = await asyncio.to_thread(_plans)
        organiser = user_id_of(ORGANISER)
        await ensure_user(connection, organiser, ORGANISER, "organiser@example.com", "Demo Organiser")
        venues = await _write_venues(connection)
        performers = await _write_performers(connection)
        await _write_events(connection, plans, venues, performers, now)
    progress(len(EVENTS), len(EVENTS), "demo events")
    return True


def _plans() -> dict[str, Plan]:
    made = {"arena": arena(), "theatre": theatre()}
    return {name: parse_seating_plan(orjson.dumps(document)) for name, document in made.items()}


def _external_id(key: str) -> str:
    return f"{_SOURCE}:{key}"


async def _write_venues(connection: Connection) -> dict[str, UUID]:
    known = await ids_by_external_id(connection, "venues", [_external_id(key) for key in VENUES])
    keys = {key: known.get(_external_id(key)) or new_uuid() for key in VENUES}
    rows = [
        NewVenue(
            id=keys[key],
            external_id=_external_id(key),
            name=venue.name,
            address=venue.address,
            city=venue.city,
            country=venue.country,
            lat=venue.lat,
            lng=venue.lng,
            timezone=venue.timezone,
        )
        for key, venue in VENUES.items()
    ]
    await upsert_venues(connection, rows)
    return keys


async def _write_performers(connection: Connection) -> dict[str, UUID]:
    names = list(dict.fromkeys(name for event in EVENTS for name in event.performers))
    known = await ids_by_external_id(connection, "performers", [_external_id(name) for name in names])
    keys = {name: known.get(_external_id(name)) or new_uuid() for name in names}
    genres = {name: event.category for event in reversed(EVENTS) for name in event.performers}
    rows = [NewPerformer(keys[n], _external_id(n), n, None, [genres[n]]) for n in names]
    await upsert_performers(connection, rows)
    return keys


async def _write_events(
    connection: Connection,
    plans: dict[str, Plan],
    venues: dict[str, UUID],
    performers: dict[str, UUID],
    now: datetime,
) -> None:
    staged = [(event, _seat_map(event, plans)) for event in EVENTS]
    rows = [_event(event, seat_map, venues[event.venue], now) for event, seat_map in staged]
    bills = [
        BillEntry(seat_map.event_id, performers[name], position)
        for event, seat_map in staged
        for position, name in enumerate(event.performers)
    ]
    await write_events(connection, rows, [seat_map for _, seat_map in staged], bills)


def _seat_map(event: DemoEvent, plans: dict[str, Plan]) -> SeatMap:
    plan = plans[event.plan] if event.plan else None
    return build_seat_map(new_uuid(), plan, event.prices, event.general_admission)


def _event(event: DemoEvent, seat_map: SeatMap, venue_id: UUID, now: datetime) -> NewEvent:
    zone = ZoneInfo(VENUES[event.venue].timezone)
    day = now.astimezone(zone) + timedelta(days=event.days)
    sale = event.on_sale_in_days
    description = EventDescription(
        id=seat_map.event_id,
        organiser_id=user_id_of(ORGANISER),
        name=event.name,
        description=event.description,
        category=event.category,
        starts_at=day.replace(hour=event.hour, minute=0, second=0, microsecond=0),
        ends_at=None,
        on_sale_at=None if sale is None else now + timedelta(days=sale),
        off_sale_at=None,
        max_tickets_per_order=MAX_TICKETS_PER_ORDER,
        max_tickets_per_person=MAX_TICKETS_PER_ORDER,
        orphan_rule=True,
    )
    external_id = _external_id(event.key)
    return NewEvent.of(description, venue_id, seat_map, state=EventState.PUBLISHED, external_id=external_id)
