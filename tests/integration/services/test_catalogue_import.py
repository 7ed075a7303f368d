"""Importing a catalogue: what arrives, what twice does, what a fault leaves behind."""

import gzip
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from db.session import Database
from domain.errors import InvalidInput
from domain.layout_document import from_json
from domain.money import Money
from services.catalogue.import_catalogue import ImportReport, import_catalogue
from services.catalogue.imports.listings import Given
from services.catalogue.imports.reading import read_catalogue
from tests.unit.services.imports.test_documented_files import BLOCKS

KOREA = Given("Asia/Seoul", country="KR", currency="KRW", capacity=200)
NOW = datetime(2026, 12, 1, tzinfo=UTC)
VENUES = [
    {"id": 7, "name": "Rolling Hall", "address": "서울 마포구 서교동 402-22", "lat": 37.5, "lng": 126.9},
    {"id": 8, "name": "Ovantgarde", "address": "부산광역시 금정구 장전동", "lat": 35.2, "lng": 129.0},
]
PERFORMERS = [
    {
        "id": 1,
        "name": "검정치마",
        "bio": "First line.\n\nSecond.",
        "genres": ["Indie", "Modern Rock", "Rock"],
    },
    {"id": 2, "name": "오지은"},
]
CONCERTS = [
    {
        "id": 11,
        "title": "롤링 17주년",
        "date": "2027-01-06",
        "time": "20:00",
        "price_text": "예매 33,000원 현매 40,000원",
        "venue_id": 7,
        "performer_ids": [2, 1, 2],
    },
    {
        "id": 12,
        "title": "Free night",
        "date": "2027-01-07",
        "time": "00:00",
        "price_text": "무료",
        "venue_id": 8,
        "performer_ids": [],
    },
]
BOOKED_ORDER = """
INSERT INTO users (id, subject) VALUES (md5('user')::uuid, 'user');
INSERT INTO orders (
  id, reference, event_id, user_id, state, currency, subtotal_minor, fees_minor, total_minor, expires_at
) VALUES (md5('order')::uuid, 'R1', '{event}', md5('user')::uuid, 'BOOKED', 'KRW', 0, 0, 0, now());
"""
TABLES = ("venues", "performers", "events", "seat_maps", "price_levels", "event_performers")


@pytest_asyncio.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    """A migrated database without rows."""
    opened = Database(postgres_url)
    yield opened
    await opened.close()


def write(folder: Path, **files: list[dict[str, Any]]) -> Path:
    """The files of a catalogue; returns the one of the events."""
    for name, records in files.items():
        lines = "\n".join(json.dumps(record, ensure_ascii=False) for record in records)
        (folder / f"{name}.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    return folder / "events.jsonl.gz"


def catalogue(folder: Path, *concerts: dict[str, Any]) -> Path:
    """The files above, with other concerts where any are given."""
    return write(folder, venues=VENUES, performers=PERFORMERS, events=list(concerts) or CONCERTS)


async def bring_in(database: Database, file: Path, *, publish: bool = False) -> ImportReport:
    """One import without anybody watching."""
    found = read_catalogue(file, KOREA)
    return await import_catalogue(database, found, lambda *_: None, publish_at=NOW if publish else None)


async def counts(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    return {table: await database.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES}


async def test_events_are_drafts_with_seats_and_prices_when_imported(
    database: Database, tmp_path: Path
) -> None:
    report = await bring_in(database, catalogue(tmp_path))

    assert report == ImportReport(venues=2, performers=2, events=2, new_events=2)
    row = await database.fetchrow(
        """
        SELECT e.*, v.city, v.timezone, m.layout::text FROM events e JOIN venues v ON v.id = e.venue_id
        JOIN seat_maps m ON m.version = e.seat_map_version WHERE e.external_id = 'import:11'
        """
    )
    assert row is not None
    assert (row["name"], row["state"], row["category"]) == ("롤링 17주년", "DRAFT", "Rock")
    assert row["starts_at"].isoformat() == "2027-01-06T11:00:00+00:00"
    assert (row["city"], row["timezone"]) == ("서울", "Asia/Seoul")
    assert (row["price_from"], row["price_to"], row["currency"]) == (33_000, 33_000, "KRW")
    seat_map = from_json(row["layout"])
    assert (seat_map.event_id, seat_map.version) == (row["id"], row["seat_map_version"])
    assert seat_map.price_range == (Money(33_000, "KRW"), Money(33_000, "KRW"))
    bill = await database.fetch(
        "SELECT name FROM event_performers JOIN performers ON id = performer_id WHERE event_id = $1"
        " ORDER BY position",
        row["id"],
    )
    assert [entry["name"] for entry in bill] == ["오지은", "검정치마"]


async def test_nothing_is_added_or_written_when_imported_twice(database: Database, tmp_path: Path) -> None:
    file = catalogue(tmp_path)
    await bring_in(database, file)
    before = await counts(database), await database.fetch("SELECT * FROM events ORDER BY id")

    again = await bring_in(database, file)

    assert again.new_events == 0
    assert before == (await counts(database), await database.fetch("SELECT * FROM events ORDER BY id"))


async def test_drafts_are_published_when_asked_but_for_those_that_are_over(
    database: Database, tmp_path: Path
) -> None:
    over = CONCERTS[1] | {"id": 13, "date": "2026-11-30"}
    await bring_in(database, catalogue(tmp_path, *CONCERTS, over))
    await database.fetch("UPDATE events SET state = 'CANCELLED' WHERE external_id = 'import:12'")

    report = await bring_in(database, catalogue(tmp_path, *CONCERTS, over), publish=True)

    assert (report.new_events, report.published) == (0, 1)
    states = await database.fetch("SELECT state FROM events ORDER BY external_id")
    assert [row["state"] for row in states] == ["PUBLISHED", "CANCELLED", "DRAFT"]


async def test_seats_and_state_stay_when_an_event_changes_in_the_file(
    database: Database, tmp_path: Path
) -> None:
    await bring_in(database, catalogue(tmp_path))
    await database.fetch("UPDATE events SET state = 'CANCELLED' WHERE external_id = 'import:11'")
    before = await database.fetchrow("SELECT * FROM events WHERE external_id = 'import:11'")
    assert before is not None

    changed = CONCERTS[0] | {"title": "New", "price_text": "5천원", "performer_ids": [1], "venue_id": 8}
    await bring_in(database, catalogue(tmp_path, changed))

    after = await database.fetchrow("SELECT * FROM events WHERE external_id = 'import:11'")
    assert after is not None
    kept = ("id", "state", "seat_map_version", "price_from")
    assert [after[name] for name in kept] == [before[name] for name in kept]
    assert after["name"] == "New"
    assert after["venue_id"] != before["venue_id"]
    assert after["updated_at"] > before["updated_at"]
    assert (await counts(database))["event_performers"] == 1


async def test_a_move_is_noted_when_nothing_is_sold_and_refused_when_tickets_are(
    database: Database, tmp_path: Path
) -> None:
    await bring_in(database, catalogue(tmp_path))
    moved = [CONCERTS[0] | {"time": "21:00"}, CONCERTS[1] | {"time": "21:00"}]
    ids = {row["external_id"]: row["id"] for row in await database.fetch("SELECT * FROM events")}
    async with database.connection() as connection:
        await connection.execute(BOOKED_ORDER.format(event=ids["import:12"]))

    with pytest.raises(InvalidInput) as caught:
        await bring_in(database, catalogue(tmp_path, *moved))
    before = await database.fetch("SELECT moved_at FROM events ORDER BY external_id")
    await bring_in(database, catalogue(tmp_path, moved[0], CONCERTS[1] | {"title": "Renamed"}))

    sentence = "tickets of this event are sold; move it by updateEvent with notifyBuyers: true."
    assert caught.value.message.split("\n")[1:] == [f"events.jsonl.gz:2: start: {sentence}"]
    assert [row["moved_at"] for row in before] == [None, None]
    first, second = await database.fetch("SELECT * FROM events ORDER BY external_id")
    assert first["starts_at"].isoformat() == "2027-01-06T12:00:00+00:00" and first["moved_at"] is not None
    assert (second["name"], second["moved_at"]) == ("Renamed", None)


async def test_earlier_venues_are_found_when_they_are_not_beside_the_file(
    database: Database, tmp_path: Path
) -> None:
    await bring_in(database, catalogue(tmp_path))
    (tmp_path / "alone").mkdir()
    alone = write(tmp_path / "alone", events=[CONCERTS[0] | {"id": 99}])

    report = await bring_in(database, alone)

    assert report == ImportReport(venues=0, performers=0, events=1, new_events=1)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"venue_id": 404}, "venue_id: there is no venue '404'."),
        ({"performer_ids": [404]}, "performer_ids: there is no performer '404'."),
        ({"performer_ids": "1"}, "performer_ids: must be a list."),
        ({"performer_ids": [None]}, "performer_ids[0]: must be a string or a whole number."),
        ({"date": "2027-02-30"}, "date: '2027-02-30' is not a date such as 2027-03-14."),
        ({"time": "25:00"}, "time: '25:00' is not a time such as 19:30."),
        ({"title": "  "}, "name: is missing."),
        ({"title": "a\x00b"}, "title: has a control character."),
        ({"id": None}, "id: must be a string or a whole number."),
        ({"price_text": 5}, "price_text: must be a string."),
    ],
)
async def test_nothing_is_written_when_a_line_has_a_fault(
    database: Database, tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await bring_in(database, catalogue(tmp_path, CONCERTS[0] | change))
    assert f"events.jsonl.gz:1: {sentence}" in caught.value.message.split("\n")
    assert set((await counts(database)).values()) == {0}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{", "events.jsonl:1: The line is not JSON"),
        (b"\n[]", "events.jsonl:2: The line must be an object."),
        (b"\x1f\x8bnot gzip", "events.jsonl cannot be read"),
        (b"", "events.jsonl has no events."),
    ],
)
def test_file_is_refused_when_it_is_no_json_lines(tmp_path: Path, content: bytes, sentence: str) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        read_catalogue(file)
    assert sentence in caught.value.message


@pytest.mark.parametrize("kind", ["jsonl", "ics", "json"])
async def test_no_doubles_when_a_documented_file_of_any_format_is_imported_twice(
    database: Database, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / f"events.{kind}"
    file.write_text(BLOCKS[kind])
    found = read_catalogue(file, Given(timezone="Australia/Sydney"))
    first = await import_catalogue(database, found, lambda *_: None)
    before = await counts(database)

    again = await import_catalogue(database, found, lambda *_: None)

    assert (first.new_events, again.new_events) == (len(found.events), 0)
    assert await counts(database) == before
    assert before["venues"] == 1
