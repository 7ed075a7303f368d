"""The demo: what is there after loading it, and after loading it twice."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytest_asyncio

from db.session import Database
from domain.ids import user_id_of
from domain.layout_document import from_json
from services.catalogue.demo.loading import ORGANISER, load_demo, upcoming
from services.catalogue.demo.programme import EVENTS
from services.catalogue.demo.seating_plans import arena, theatre

NOWHERE = Path("/nonexistent/events.jsonl")


@pytest_asyncio.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    """A migrated database without rows."""
    opened = Database(postgres_url)
    yield opened
    await opened.close()


def silent(done: int, total: int, what: str) -> None:
    """Nobody watches."""


async def test_invented_events_are_on_sale_when_no_data_lies_beside(
    database: Database, postgres_url: str
) -> None:
    await load_demo(SimpleNamespace(database_url=postgres_url), silent, real_concerts=NOWHERE)

    rows = await database.fetch("SELECT * FROM events")
    assert len(rows) == len(EVENTS) == 34
    assert {row["state"] for row in rows} == {"PUBLISHED"}
    assert {row["organiser_id"] for row in rows} == {user_id_of(ORGANISER)}
    assert min(row["starts_at"] for row in rows) > datetime.now(UTC) + timedelta(days=1)
    assert [row["external_id"] for row in rows if row["on_sale_at"]] == ["demo:arena-3"]


async def test_arena_has_its_seats_and_floor_when_read_back(database: Database, postgres_url: str) -> None:
    await load_demo(SimpleNamespace(database_url=postgres_url), silent, real_concerts=NOWHERE)

    text = await database.fetchval(
        "SELECT layout::text FROM seat_maps m JOIN events e ON e.seat_map_version = m.version"
        " WHERE e.external_id = 'demo:arena-1'"
    )
    seat_map = from_json(text)
    assert (seat_map.seat_count, seat_map.place_count) == (17_760, 19_760)
    assert len(seat_map.segments) == 24 * 20 + 32 * 21
    assert [area.section for area in seat_map.areas] == [None, 56]
    assert sum(seat.accessible for seat in seat_map.seats) == 24


async def test_nothing_changes_when_the_demo_is_loaded_twice(database: Database, postgres_url: str) -> None:
    settings = SimpleNamespace(database_url=postgres_url)
    await load_demo(settings, silent, real_concerts=NOWHERE)
    before = await database.fetch("SELECT * FROM events ORDER BY id")

    await load_demo(settings, silent, real_concerts=NOWHERE)

    assert await database.fetch("SELECT * FROM events ORDER BY id") == before


async def test_real_concerts_are_moved_into_the_coming_year_when_they_lie_beside(
    database: Database, postgres_url: str, tmp_path: Path
) -> None:
    venue = {"id": 1, "name": "Hall", "address": "서울", "lat": 37.5, "lng": 127.0}
    concert = {"id": 1, "title": "Then", "date": "2014-05-03", "time": "20:00", "venue_id": 1}
    (tmp_path / "venues.jsonl").write_text(json.dumps(venue))
    (tmp_path / "events.jsonl").write_text(json.dumps(concert))
    settings = SimpleNamespace(database_url=postgres_url)

    await load_demo(settings, silent, real_concerts=tmp_path / "events.jsonl")

    starts_at = await database.fetchval("SELECT starts_at FROM events WHERE name = 'Then'")
    assert timedelta() < starts_at - datetime.now(UTC) <= timedelta(days=366)
    assert starts_at.weekday() == datetime(2014, 5, 3, tzinfo=UTC).weekday()
    assert await database.fetchval("SELECT count(*) FROM events") == len(EVENTS) + 1


@pytest.mark.parametrize("date", ["2007-11-06", "2026-11-23", "2026-11-24", "2027-11-23", "2104-09-16"])
def test_date_lands_within_a_year_when_it_is_moved(date: str) -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    original = datetime.fromisoformat(f"{date}T19:00:00+00:00")
    moved = upcoming(now)(original)
    assert timedelta(days=1) <= moved - now < timedelta(days=365)
    assert moved.weekday() == original.weekday()


def test_seats_keep_apart_when_the_houses_are_made() -> None:
    for plan in (arena(), theatre()):
        for zone in plan["zones"]:
            for row in zone["rows"]:
                places = [(s["position"]["x"], s["position"]["y"]) for s in row["seats"]]
                nearest = min(((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5 for a, b in pairwise(places))
                assert nearest > 12
