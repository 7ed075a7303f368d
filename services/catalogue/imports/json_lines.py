"""JSON lines of events, with venues.jsonl and performers.jsonl beside them, gzipped or not."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import partial
from pathlib import Path
from typing import TypeVar

import orjson

from domain.errors import InvalidInput
from domain.plan_fields import Fields
from domain.price_text import price_in_won
from services.catalogue.imports.checks import checked_venue
from services.catalogue.imports.listings import (
    Fault,
    Given,
    Listing,
    Offer,
    PerformerRecord,
    Place,
    Time,
    VenueRecord,
)

T = TypeVar("T")

MOST_BYTES = 500_000_000
_LONGEST_BIO = 20_000
_WON = "KRW"


@dataclass(slots=True)
class Beside:
    """The venues and performers beside a file of events, and what is wrong with them."""

    venues: dict[str, VenueRecord] = field(default_factory=dict)
    performers: dict[str, PerformerRecord] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def file_bytes(path: Path) -> bytes:
    """The contents of a file, unpacked where it is gzipped.

    Raises:
        InvalidInput: It cannot be read, or is too large.
    """
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


def read_beside(events: Path, given: Given) -> Beside:
    """Read venues.jsonl and performers.jsonl (.gz or not) in the folder of a file of events."""
    found = Beside()
    for path, number, fields in _beside(events, "venues"):
        try:
            venue = _venue(fields(), given)
        except InvalidInput as error:
            found.faults += [Fault(path.name, number, each) for each in error.message.split("\n")]
        else:
            found.venues[venue.key] = venue
    for path, number, fields in _beside(events, "performers"):
        try:
            performer = _performer(fields())
        except InvalidInput as error:
            found.faults.append(Fault(path.name, number, error.message))
        else:
            found.performers[performer.key] = performer
    return found


def read_lines(file: str, content: bytes) -> Iterator[Listing]:
    """Read a listing from each line of a file; a listing that has faults has at least these."""
    for number, fields in _lines(content):
        listing = Listing(file, number)
        try:
            _read(_Line(fields(), listing))
        except InvalidInput as error:
            listing.refuse(error.message)
        yield listing


_Row = tuple[Path, int, Callable[[], Fields]]


def _beside(events: Path, name: str) -> Iterator[_Row]:
    for suffix in (".jsonl.gz", ".jsonl"):
        path = events.with_name(name + suffix)
        if path.is_file() and path != events:
            for number, fields in _lines(file_bytes(path)):
                yield path, number, fields
            return


def _lines(content: bytes) -> Iterator[tuple[int, Callable[[], Fields]]]:
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            yield number, partial(_fields, line)


def _fields(line: bytes) -> Fields:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"The line is not JSON: {error.msg}.") from None
    return Fields(value, "", "The line")


def _venue(fields: Fields, given: Given) -> VenueRecord:
    return VenueRecord(fields.key("id"), checked_venue(_place(fields), given), _count(fields, "capacity"))


def _place(fields: Fields) -> Place:
    def text(name: str) -> str | None:
        return fields.text(name, optional=True, drop_hidden=True) or None

    return Place(
        name=fields.text("name", required=True, drop_hidden=True),
        address=text("address"),
        city=text("city"),
        country=text("country"),
        lat=_degrees(fields, "lat", 90),
        lng=_degrees(fields, "lng", 180),
        timezone=text("timezone"),
        capacity=_count(fields, "capacity"),
    )


def _degrees(fields: Fields, name: str, most: float) -> float | None:
    if fields.values.get(name) is None:
        return None
    value = fields.amount(name)
    if abs(value) > most:
        raise fields.fault(name, f"must be within {most:.0f} degrees either side of 0")
    return value


def _count(fields: Fields, name: str) -> int | None:
    value = fields.values.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise fields.fault(name, "must be a whole number")
    return value


def _performer(fields: Fields) -> PerformerRecord:
    return PerformerRecord(
        key=fields.key("id"),
        name=fields.text("name", required=True, drop_hidden=True),
        bio=fields.prose("bio", _LONGEST_BIO),
        genres=fields.words("genres"),
    )


class _Line:
    """A line whose fields are read one by one; each that is wrong is noted in the listing."""

    def __init__(self, fields: Fields, listing: Listing) -> None:
        self.fields = fields
        self.listing = listing

    def take(self, read: Callable[[], T]) -> T | None:
        """What was read; None where it is refused."""
        try:
            return read()
        except InvalidInput as error:
            self.listing.refuse(error.message)
            return None

    def text(self, *names: str) -> str | None:
        """The first of these fields that the line has; "" counts as missing."""
        named = next((name for name in names if self.fields.values.get(name) is not None), names[0])
        return self.take(lambda: self.fields.text(named, optional=True, drop_hidden=True)) or None

    def words(self, name: str) -> list[str]:
        """A list of texts."""
        return self.take(lambda: self.fields.words(name)) or []


def _read(line: _Line) -> None:
    fields, listing = line.fields, line.listing
    listing.key = line.take(lambda: fields.key("id")) if "id" in fields.values else None
    listing.name = line.text("title", "name")
    listing.category = line.text("category")
    listing.timezone = line.text("timezone")
    listing.start = line.take(lambda: _start(fields))
    listing.end = line.take(lambda: moment(fields, "end"))
    listing.on_sale = line.take(lambda: moment(fields, "on_sale"))
    listing.off_sale = line.take(lambda: moment(fields, "off_sale"))
    listing.performers, listing.performer_keys = line.words("performers"), line.words("performer_ids")
    listing.capacity = line.take(lambda: _count(fields, "capacity"))
    listing.venue_key = line.take(lambda: fields.key("venue_id")) if "venue_id" in fields.values else None
    inline = line.take(lambda: fields.optional("venue"))
    listing.place = line.take(lambda: _place(inline)) if inline else None
    price_text = line.take(lambda: fields.prose("price_text", _LONGEST_BIO))
    about = line.take(lambda: fields.prose("description", _LONGEST_BIO))
    listing.description = about or (f"입장료: {price_text}" if price_text else None)
    listing.offers = line.take(lambda: _offers(fields, price_text)) or []


def _start(fields: Fields) -> Time | None:
    """The start, as `start` or as a date and a time of the venue's zone."""
    if fields.values.get("date") is None:
        return moment(fields, "start")
    day, hour = fields.text("date"), fields.text("time", optional=True)
    try:
        on = date.fromisoformat(day)
    except ValueError:
        raise fields.fault("date", f"{day!r} is not a date such as 2027-03-14") from None
    if not hour:
        raise fields.fault("time", "is missing")
    try:
        at = time.fromisoformat(hour)
    except ValueError:
        raise fields.fault("time", f"{hour!r} is not a time such as 19:30") from None
    return datetime.combine(on, at.replace(tzinfo=None))


def moment(fields: Fields, name: str) -> Time | None:
    """A time by ISO 8601, with an offset or without; None where it is missing.

    Raises:
        InvalidInput: It is no such time.
    """
    text = fields.text(name, optional=True)
    return iso_time(text, name) if text else None


def iso_time(text: str, name: str) -> Time:
    """A time by ISO 8601, or a day alone.

    Raises:
        InvalidInput: It is neither.
    """
    try:
        return date.fromisoformat(text)  # in every form of a day, which datetime would make a midnight
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{name}: {text[:40]!r} is not a time such as 2027-03-14T19:30+09:00.") from None


def _offers(fields: Fields, price_text: str | None) -> list[Offer]:
    sections = fields.entries("sections", "A section", 100, optional=True)
    if sections:
        return [_offer(section, fields) for section in sections]
    offer = _offer(fields, fields)
    if offer.price is None and price_text and offer.currency in (None, _WON):
        won = price_in_won(price_text)
        offer = Offer(None, None if won is None else str(won), _WON, offer.capacity)
    return [Offer(None, offer.price, offer.currency, None)]


def _offer(fields: Fields, event: Fields) -> Offer:
    price = fields.values.get("price")
    if price is not None and (isinstance(price, bool) or not isinstance(price, str | int | float)):
        raise fields.fault("price", "must be a number such as 24.50")
    currency = fields.text("currency", optional=True) or event.text("currency", optional=True)
    name = fields.text("name", optional=True, drop_hidden=True) if fields is not event else ""
    capacity = _count(fields, "capacity") if fields is not event else None
    return Offer(name or None, None if price is None else str(price), currency or None, capacity)
