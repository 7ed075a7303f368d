"""A catalogue of any size out of the real performers, venues and titles, and what is asked of it."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from db.session import Connection, Database
from tests.concerts import city_of, load_concerts, records, row_id

CHUNK = 20_000
_EVENT_COLUMNS = (
    "id name state category starts_at venue_id seat_map_version price_from price_to currency "
    "max_tickets_per_order"
).split()
_BILL_COLUMNS = ["event_id", "performer_id", "position"]
_PRICES = (None, 0, 10_000, 15_000, 20_000, 30_000, 55_000)
_STYLES = ("Rock", "Folk", "Jazz", "Metal", "Pop", "Acoustic", None)
_DAYS_AHEAD = 700
_FIRST_MS = 0x0190_0000_0000

# Called with how many are done, of how many, and what they are.
Report = Callable[[int, int, str], None]


async def fill(database: Database, events: int, report: Report) -> int:
    """The real venues, performers and concerts, and recombined ones until there are so many; by COPY."""
    async with database.connection() as connection:
        await connection.execute("SET statement_timeout = 0")
        await load_concerts(connection)
        there: int = await connection.fetchval("SELECT count(*) FROM events")
        made = recombined(events - there)
        report(there, events, "events loaded")
        while chunk := list(islice(made, CHUNK)):
            await _copy(connection, chunk)
            there += len(chunk)
            report(there, events, "events loaded")
        await connection.execute("VACUUM ANALYZE", timeout=900)
    return there


async def _copy(connection: Connection, chunk: list[tuple[tuple[Any, ...], list[UUID]]]) -> None:
    rows = [row for row, _ in chunk]
    bills = [(row[0], performer, place) for row, bill in chunk for place, performer in enumerate(bill)]
    await connection.copy_records_to_table("events", columns=_EVENT_COLUMNS, records=rows, timeout=300)
    await connection.copy_records_to_table(
        "event_performers", columns=_BILL_COLUMNS, records=bills, timeout=300
    )


def recombined(number: int) -> Iterator[tuple[tuple[Any, ...], list[UUID]]]:
    """Rows of events with their performers; the same every time, but for the day they count from."""
    choose = random.Random(7)
    venues = [row_id("venue", venue["id"]) for venue in records("venues")]
    performers = [row_id("performer", performer["id"]) for performer in records("performers")]
    titles = [event["title"] for event in records("events")]
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for count in range(number):
        # UUIDs of version 7, as the product's own: in the order of their making.
        key = UUID(int=(_FIRST_MS + count << 80) | (7 << 76) | (2 << 62) | choose.getrandbits(62))
        price = choose.choice(_PRICES)
        starts_at = today + timedelta(minutes=choose.randrange(60 * 24, 60 * 24 * _DAYS_AHEAD))
        row = (
            key, f"{choose.choice(titles)} {choose.choice(titles)[:12]}", "PUBLISHED",
            choose.choice(_STYLES), starts_at, choose.choice(venues), "concert", price, price,
            None if price is None else "KRW", 8,
        )  # fmt: skip
        yield row, choose.sample(performers, choose.randint(1, 5))


def questions(number: int) -> list[tuple[str, dict[str, Any]]]:
    """Search inputs with the kind of each: names, beginnings, typos, parts, with filters and without."""
    choose = random.Random(11)
    performers = [performer["name"].split("(")[0].strip() for performer in records("performers")]
    venues = [venue["name"].split("(")[0].strip() for venue in records("venues")]
    cities = sorted({city_of(venue.get("address")) for venue in records("venues")})
    kinds = list(_KINDS.items())
    asked = []
    for count in range(number):
        kind, spoil = kinds[count % len(kinds)]
        name = choose.choice(venues if choose.random() < 0.2 else performers)
        keyword = spoil(name, choose)
        asked.append((kind, {"keyword": keyword, **_filter(choose, cities, is_browsing=not keyword)}))
    choose.shuffle(asked)
    return asked


def _mistyped(name: str, choose: random.Random) -> str:
    place = choose.randrange(1, len(name)) if len(name) > 3 else 0
    return name[:place] + name[place + 1 :] if place else name


def _with_a_place_or_month(name: str, choose: random.Random) -> str:
    return f"{name} {choose.choice(['서울', '부산', 'busan', 'seoul', '3월', 'december', '2027년 5월'])}"


_KINDS: dict[str, Callable[[str, random.Random], str]] = {
    "name": lambda name, _: name,
    "prefix": lambda name, choose: name[: choose.randint(2, max(2, len(name) - 1))],
    "typo": _mistyped,
    "no spaces": lambda name, _: name.replace(" ", ""),
    "with place or month": _with_a_place_or_month,
    "one letter": lambda name, _: name[:1],
    "browsing": lambda *_: "",
}


def _filter(choose: random.Random, cities: list[str], *, is_browsing: bool) -> dict[str, Any]:
    near = {"lat": choose.uniform(37.4, 37.7), "lng": choose.uniform(126.8, 127.1)}
    start = datetime.now(UTC) + timedelta(days=choose.randrange(600))
    month = {"start": start.isoformat(), "end": (start + timedelta(days=30)).isoformat()}
    filters: list[dict[str, Any]] = [
        {"city": choose.choice(cities)}, {"category": choose.choice(_STYLES[:-1])},
        {"priceMax": choose.choice([10_000, 20_000])}, {"availableOnly": True},
        {"near": {**near, "radiusKm": 5.0}}, {"near": {**near, "radiusKm": 25.0}, "sort": "DISTANCE"},
        {"sort": "STARTS_AT"}, {"sort": "PRICE"}, {"pageNum": choose.randint(2, 5)}, month,
    ]  # fmt: skip
    return choose.choice(filters) if is_browsing or choose.random() < 0.5 else {}
