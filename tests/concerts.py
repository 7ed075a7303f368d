"""The 16,256 real concerts, written to a database as by the importer."""

import gzip
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import orjson

from db.session import Connection

_SPACE = UUID("3e9f4c1e-54b2-4c5c-9a3e-2b8d1f0e7a66")
_CITIES = re.compile(
    "서울|부산|대구|인천|광주|대전|울산|세종|제주|수원|성남|고양|용인|안산|천안|전주|춘천|강릉|원주|청주|포항|창원|여수|순천"
)
SHIFT = timedelta(days=364 * 14)


def data_folder() -> Path | None:
    """The folder of the real data beside the repository, or None."""
    for parent in Path(__file__).resolve().parents:
        folder = parent / "shared" / "data"
        if (folder / "events.jsonl.gz").exists():
            return folder
    return None


@lru_cache(maxsize=3)
def records(name: str) -> list[dict[str, Any]]:
    """All records of events, venues or performers."""
    folder = data_folder()
    assert folder is not None
    with gzip.open(folder / f"{name}.jsonl.gz") as lines:
        return [orjson.loads(line) for line in lines]


def row_id(kind: str, number: int) -> UUID:
    """The key of a record's row."""
    return uuid5(_SPACE, f"{kind}/{number}")


def city_of(address: str | None) -> str:
    """The city of a Korean address; Seoul if the address has only a district."""
    found = _CITIES.search(address or "")
    return found[0] if found else "서울"


async def load_concerts(connection: Connection, shift: timedelta = SHIFT) -> None:
    """Every venue, performer and event, all published, `shift` later than they took place."""
    await connection.copy_records_to_table(
        "venues",
        columns=["id", "name", "address", "city", "country", "lat", "lng", "timezone"],
        records=list(_venues()),
    )
    await connection.copy_records_to_table(
        "performers", columns=["id", "name", "bio", "genres"], records=list(_performers())
    )
    await connection.execute(
        "INSERT INTO seat_maps (version, event_id, layout, seat_count, place_count) "
        "VALUES ('concert', gen_random_uuid(), '{}', 0, 0)"
    )
    await connection.copy_records_to_table(
        "events",
        columns=[
            "id",
            "name",
            "description",
            "state",
            "category",
            "starts_at",
            "venue_id",
            "seat_map_version",
            "price_from",
            "price_to",
            "currency",
            "max_tickets_per_order",
        ],
        records=list(_events(shift)),
    )
    await connection.copy_records_to_table(
        "event_performers",
        columns=["event_id", "performer_id", "position"],
        records=list(_bills()),
    )


def _venues() -> Iterator[tuple[Any, ...]]:
    for venue in records("venues"):
        yield (
            row_id("venue", venue["id"]),
            venue["name"],
            venue.get("address"),
            city_of(venue.get("address")),
            "KR",
            venue.get("lat"),
            venue.get("lng"),
            "Asia/Seoul",
        )


def _performers() -> Iterator[tuple[Any, ...]]:
    for performer in records("performers"):
        yield (
            row_id("performer", performer["id"]),
            performer["name"],
            performer.get("bio"),
            performer.get("genres") or [],
        )


def _events(shift: timedelta) -> Iterator[tuple[Any, ...]]:
    venues = {venue["id"] for venue in records("venues")}
    genres = {performer["id"]: performer.get("genres") for performer in records("performers")}
    for event in records("events"):
        if event["venue_id"] not in venues:
            continue
        price = _price(event.get("price_text"))
        styles = [style for key in event["performer_ids"] for style in genres.get(key) or ()]
        yield (
            row_id("event", event["id"]),
            event["title"],
            "",
            "PUBLISHED",
            styles[0] if styles else None,
            _starts_at(event) + shift,
            row_id("venue", event["venue_id"]),
            "concert",
            price,
            price,
            "KRW" if price is not None else None,
            8,
        )


def _bills() -> Iterator[tuple[UUID, UUID, int]]:
    venues = {venue["id"] for venue in records("venues")}
    performers = {performer["id"] for performer in records("performers")}
    for event in records("events"):
        if event["venue_id"] in venues:
            bill = [key for key in dict.fromkeys(event["performer_ids"]) if key in performers]
            for position, key in enumerate(bill):
                yield row_id("event", event["id"]), row_id("performer", key), position


def _starts_at(event: dict[str, Any]) -> datetime:
    clock = event.get("time") or "19:00"
    local = datetime.strptime(f"{event['date']} {clock}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    return local - timedelta(hours=9)


def _price(text: str | None) -> int | None:
    if not text:
        return None
    if "무료" in text:
        return 0
    found = re.search(r"(\d{1,3}(?:,\d{3})+|\d{4,6})", text)
    return int(found[1].replace(",", "")) if found else None
