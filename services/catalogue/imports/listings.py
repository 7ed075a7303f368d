"""What a file says about an event, what the importing person adds, and what comes of both."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from db.queries.venues import VenueDescription
from domain.errors import InvalidInput
from domain.seating import GeneralAdmission

Time = datetime | date
"""A wall-clock time, an instant, or a day alone, as the file has it"""


@dataclass(frozen=True, slots=True)
class Given:
    """What the importing person says for events whose file does not; None: the file must say it.

    `price` is in whole units of the currency, e.g. "24.50".
    """

    timezone: str | None = None
    city: str | None = None
    country: str | None = None
    currency: str | None = None
    price: str | None = None
    capacity: int | None = None
    city_at: Callable[[str, float, float], str] | None = None
    """The city of an address and its coordinates, where neither the file nor `city` says it"""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line of a file is refused."""

    file: str
    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Place:
    """A venue as a file describes it, unchecked."""

    name: str | None
    address: str | None = None
    city: str | None = None
    country: str | None = None
    lat: float | None = None
    lng: float | None = None
    timezone: str | None = None
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """Tickets of one price; `price` is in whole units of the currency."""

    name: str | None = None
    price: str | None = None
    currency: str | None = None
    capacity: int | None = None


@dataclass(slots=True)
class Listing:
    """An event as a file describes it, unchecked; `line` is where it begins."""

    file: str
    line: int
    key: str | None = None
    name: str | None = None
    description: str | None = None
    category: str | None = None
    start: Time | None = None
    end: Time | None = None
    on_sale: Time | None = None
    off_sale: Time | None = None
    timezone: str | None = None
    place: Place | None = None
    venue_key: str | None = None
    performers: list[str] = field(default_factory=list)
    performer_keys: list[str] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    capacity: int | None = None
    faults: list[str] = field(default_factory=list)

    def refuse(self, sentence: str) -> None:
        """Note why this event cannot be imported; each reason once."""
        if sentence not in self.faults:
            self.faults.append(sentence)


@dataclass(frozen=True, slots=True)
class VenueRecord:
    """A venue that events name by its key."""

    key: str
    description: VenueDescription
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class PerformerRecord:
    """A performer that events name by its key."""

    key: str
    name: str
    bio: str | None
    genres: list[str]


@dataclass(frozen=True, slots=True)
class EventRecord:
    """A checked event; its venue is a description, or the key of a venue."""

    file: str
    line: int
    key: str
    name: str
    description: str
    category: str | None
    starts_at: datetime
    ends_at: datetime | None
    on_sale_at: datetime | None
    off_sale_at: datetime | None
    venue: VenueDescription | str
    performers: tuple[str, ...]
    performer_keys: tuple[str, ...]
    sections: tuple[GeneralAdmission, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The checked contents of the files."""

    venues: list[VenueRecord]
    performers: list[PerformerRecord]
    events: list[EventRecord]


def refusal(faults: Sequence[Fault]) -> InvalidInput:
    """The error that names every refused line of an import; lines with the same fault share a row."""
    lines: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for fault in faults:
        lines[fault.file, fault.sentence].append(fault.line)
    count = len({(fault.file, fault.line) for fault in faults})
    rows = [f"{file}:{_spans(numbers)}: {sentence}" for (file, sentence), numbers in lines.items()]
    head = f"{count} line{' is' if count == 1 else 's are'} refused, and nothing is imported:"
    return InvalidInput("\n".join([head, *rows]))


def _spans(numbers: Iterable[int]) -> str:
    """E.g. "3,7-9"."""
    spans: list[list[int]] = []
    for number in sorted(set(numbers)):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
