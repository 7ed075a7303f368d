"""Reading a file of events in whichever of the three formats it has."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from domain.errors import InvalidInput
from services.catalogue.imports.calendars import read_calendars
from services.catalogue.imports.checks import checked_event
from services.catalogue.imports.json_lines import Beside, file_bytes, read_beside, read_lines
from services.catalogue.imports.linked_data import read_document, read_page
from services.catalogue.imports.listings import Catalogue, EventRecord, Fault, Given, Listing, refusal

_CALENDAR = re.compile(rb"\s*BEGIN:VCALENDAR", re.IGNORECASE)
# JSON-LD says what its objects are; JSON lines have an object a line without such a mark.
_LINKED_DATA = re.compile(rb'"@(?:context|type|graph)"')
_BOM = b"\xef\xbb\xbf"


def read_catalogue(file: Path, given: Given = Given()) -> Catalogue:  # noqa: B008 - it is frozen
    """Read a file of events: JSON lines, iCalendar, or JSON-LD alone or in an HTML page, gzipped or not.

    JSON lines may name venues and performers of venues.jsonl and performers.jsonl in the same folder.

    Raises:
        InvalidInput: It cannot be read, has no event, or has lines that are refused, each of which is named.
    """
    content = file_bytes(file).removeprefix(_BOM)
    beside, listings = _read(file, content, given)
    faults = list(beside.faults)
    events: dict[str, EventRecord] = {}
    for listing in listings:
        event = checked_event(listing, given, beside.venues)
        faults += [Fault(listing.file, listing.line, sentence) for sentence in listing.faults]
        if event is None:
            continue
        earlier = events.setdefault(event.key, event)
        # A page may say the same twice; two events with one id would overwrite each other.
        if replace(earlier, line=event.line) != event:
            same = f"id: {event.key[:80]!r} is that of line {earlier.line} too."
            faults.append(Fault(listing.file, listing.line, same))
    if faults:
        raise refusal(faults)
    if not events:
        raise InvalidInput(f"{file.name} has no events.")
    return Catalogue(list(beside.venues.values()), list(beside.performers.values()), list(events.values()))


def _read(file: Path, content: bytes, given: Given) -> tuple[Beside, Iterable[Listing]]:
    name = file.name
    if _CALENDAR.match(content):
        return Beside(), read_calendars(name, content)
    if content.lstrip()[:1] == b"<":
        return Beside(), read_page(name, _decoded(name, content))
    if _LINKED_DATA.search(content):
        return Beside(), _linked(name, _decoded(name, content))
    return read_beside(file, given), read_lines(name, content)


def _linked(name: str, text: str) -> Iterator[Listing]:
    """A JSON-LD document, or one a line."""
    lines = text.splitlines()
    if len(lines) > 1 and all(not line.strip() or _is_object(line) for line in lines):
        for number, line in enumerate(lines, 1):
            if line.strip():
                for listing in read_document(name, line):
                    listing.line = number
                    yield listing
        return
    yield from read_document(name, text)


def _is_object(line: str) -> bool:
    text = line.strip()
    return text.startswith("{") and text.endswith("}")


def _decoded(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InvalidInput(f"{name} is not UTF-8.") from None
