"""Reads events, venues and performers from files of JSON lines, gzipped or not."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import orjson

from domain.errors import InvalidInput
from domain.plan_fields import Fields

TIMEZONE = "Asia/Seoul"
MOST_BYTES = 500_000_000
_LONGEST_BIO = 20_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class VenueRecord:
    """A line of venues.jsonl."""

    key: str
    name: str
    address: str
    lat: float
    lng: float


@dataclass(frozen=True, slots=True)
class PerformerRecord:
    """A line of performers.jsonl."""

    key: str
    name: str
    bio: str | None
    genres: list[str]


@dataclass(frozen=True, slots=True)
class ConcertRecord:
    """A line of events.jsonl; `where` is its position in the file, for error messages."""

    where: str
    key: str
    title: str
    starts_at: datetime
    venue: str
    performers: tuple[str, ...]
    price_text: str | None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The checked lines of the files."""

    venues: list[VenueRecord]
    performers: list[PerformerRecord]
    concerts: list[ConcertRecord]


def read_catalogue(events: Path) -> Catalogue:
    """Read a file of events, and venues.jsonl and performers.jsonl (.gz or not) in the same folder.

    Raises:
        InvalidInput: With the file, the line and the field of the first fault.
    """
    return Catalogue(
        venues=[_venue(fields) for fields in _beside(events, "venues")],
        performers=[_performer(fields) for fields in _beside(events, "performers")],
        concerts=[_concert(fields) for fields in _lines(events)],
    )


def _beside(events: Path, name: str) -> Iterator[Fields]:
    for suffix in (".jsonl.gz", ".jsonl"):
        path = events.with_name(name + suffix)
        if path.is_file():
            return _lines(path)
    return iter(())


def _lines(path: Path) -> Iterator[Fields]:
    for number, line in enumerate(_text(path).splitlines(), 1):
        where = f"{path.name}:{number}"
        if not line.strip():
            continue
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InvalidInput(f"{where}: the line is not JSON: {error.msg}.") from None
        yield Fields(value, where, "The line", number)


def _text(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            with gzip.open(path) as stream:
                raw = stream.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(f"{path.name} cannot be read: {error}.") from error
    if len(raw) > MOST_BYTES:
        raise InvalidInput(f"{path.name} is larger than {MOST_BYTES // 1_000_000} MB.")
    return raw


def _venue(fields: Fields) -> VenueRecord:
    return VenueRecord(
        key=fields.key("id"),
        name=fields.text("name", required=True, drop_hidden=True),
        address=fields.text("address", drop_hidden=True),
        lat=_degrees(fields, "lat", 90),
        lng=_degrees(fields, "lng", 180),
    )


def _degrees(fields: Fields, name: str, most: float) -> float:
    value = fields.amount(name)
    if abs(value) > most:
        raise fields.fault(name, f"must be within {most:.0f} degrees either side of 0")
    return value


def _performer(fields: Fields) -> PerformerRecord:
    return PerformerRecord(
        key=fields.key("id"),
        name=fields.text("name", required=True, drop_hidden=True),
        bio=fields.prose("bio", _LONGEST_BIO),
        genres=fields.words("genres"),
    )


def _concert(fields: Fields) -> ConcertRecord:
    return ConcertRecord(
        where=fields.path,
        key=fields.key("id"),
        title=fields.text("title", required=True, drop_hidden=True),
        starts_at=_start(fields),
        venue=fields.key("venue_id"),
        performers=tuple(dict.fromkeys(fields.words("performer_ids"))),
        price_text=fields.prose("price_text", _LONGEST_BIO),
    )


def _start(fields: Fields) -> datetime:
    """Return the start from a date and a time in the venue's zone."""
    day, hour = fields.text("date"), fields.text("time", optional=True) or "00:00"
    try:
        on = date.fromisoformat(day)
    except ValueError:
        raise fields.fault("date", f"{day!r} is not a date such as 2027-03-14") from None
    try:
        at = time.fromisoformat(hour)
    except ValueError:
        raise fields.fault("time", f"{hour!r} is not a time such as 19:30") from None
    return datetime.combine(on, at.replace(tzinfo=None), ZoneInfo(TIMEZONE))
