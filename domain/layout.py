"""A seat map: the places of an event, where they are and what they cost. It is immutable.

Every sellable unit is a *place*, an int. Seats are places 0 to seat_count - 1 in the order of
section, row, seat; the general-admission sections follow, each a contiguous range of places.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from math import hypot
from statistics import median_low
from uuid import UUID

from domain.money import Money

# Where seats are further apart than this many times their row's median spacing, there is an aisle.
_AISLE_FACTOR = 1.6


class SectionKind(StrEnum):
    """Numbered seats, or places without numbers."""

    SEATED = "SEATED"
    GENERAL_ADMISSION = "GENERAL_ADMISSION"


class AreaShape(StrEnum):
    """The shape of an area. Rectangles start at (x, y); circles and ellipses are centred there."""

    RECTANGLE = "rectangle"
    CIRCLE = "circle"
    ELLIPSE = "ellipse"
    POLYGON = "polygon"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class PriceLevel:
    """A named price: of a category of the plan, or of one general-admission section."""

    number: int
    name: str
    color: str | None
    price: Money
    fee: Money

    @property
    def total(self) -> Money:
        """What one ticket costs, fee included."""
        return self.price + self.fee


@dataclass(frozen=True, slots=True)
class Seat:
    """A numbered seat. `index` is its place; x and y are absolute, in the plan's units.

    A `companion` seat is for who comes with somebody on an `accessible` one.
    """

    index: int
    row: str
    number: str
    x: float
    y: float
    price_level: int
    accessible: bool
    restricted_view: bool
    guid: str
    companion: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """Seats side by side; their places are consecutive."""

    name: str
    seats: tuple[Seat, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A zone of the plan, or a general-admission section (which alone has a `price_level`)."""

    number: int
    name: str
    kind: SectionKind
    first_place: int
    capacity: int
    price_level: int | None
    rows: tuple[Row, ...]

    @property
    def places(self) -> range:
        """The places that belong to this section."""
        return range(self.first_place, self.first_place + self.capacity)


@dataclass(frozen=True, slots=True)
class Area:
    """A drawn shape that is not a seat: a stage, a bar, the area of a general-admission section.

    `width` and `height` are the extent (the diameters of circles and ellipses); `points` are a
    polygon's corners relative to (x, y); `rotation` is in degrees clockwise around (x, y);
    `section` is the number of the general-admission section that it shows, if any.
    """

    shape: AreaShape
    x: float
    y: float
    width: float = 0
    height: float = 0
    points: tuple[tuple[float, float], ...] = ()
    rotation: float = 0
    color: str | None = None
    border_color: str | None = None
    text: str = ""
    text_color: str | None = None
    section: int | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """Adjacent seats, `first` to `last` inclusive, with no aisle between them."""

    first: int
    last: int
    section: int
    row: int

    def __len__(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True, weakref_slot=True)
class SeatMap:
    """The layout and the prices of one event; `version` changes whenever either does.

    `focus` is where the audience looks, where the plan says it (`domain.focal_point` finds it elsewhere).
    """

    event_id: UUID
    version: str
    width: int
    height: int
    price_levels: tuple[PriceLevel, ...]
    sections: tuple[Section, ...]
    areas: tuple[Area, ...]
    focus: tuple[float, float] | None = None
    seats: tuple[Seat, ...] = field(init=False, repr=False, compare=False)
    segments: tuple[Segment, ...] = field(init=False, repr=False, compare=False)
    _section_starts: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _segment_starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rows = (row for section in self.sections for row in section.rows)
        seats = tuple(seat for row in rows for seat in row.seats)
        segments = tuple(
            segment
            for section in self.sections
            for number, row in enumerate(section.rows)
            for segment in split_at_aisles(row.seats, section.number, number)
        )
        derived = {
            "seats": seats,
            "segments": segments,
            "_section_starts": tuple(section.first_place for section in self.sections),
            "_segment_starts": tuple(segment.first for segment in segments),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    @property
    def seat_count(self) -> int:
        """The number of numbered seats: the length of SeatStatuses.statuses."""
        return len(self.seats)

    @property
    def place_count(self) -> int:
        """The number of places, general admission included."""
        return sum(section.capacity for section in self.sections)

    @property
    def currency(self) -> str:
        """The one currency of the event."""
        return self.price_levels[0].price.currency

    @property
    def price_range(self) -> tuple[Money, Money]:
        """The lowest and the highest price of a place that can be bought, fees included."""
        used = {seat.price_level for seat in self.seats}
        used.update(s.price_level for s in self.sections if s.price_level is not None)
        prices = sorted((self.price_levels[number].total for number in used), key=_amount)
        return prices[0], prices[-1]

    def __hash__(self) -> int:
        # The version is a digest of everything else, which takes a walk over every seat to hash.
        return hash(self.version)

    def section_of(self, place: int) -> Section:
        """The section that a place belongs to.

        Raises:
            IndexError: there is no such place.
        """
        section = self.sections[bisect_right(self._section_starts, place) - 1]
        if place not in section.places:
            raise IndexError(place)
        return section

    def seat_at(self, place: int) -> Seat | None:
        """The seat of a place; None in general admission and where there is no such place."""
        return self.seats[place] if 0 <= place < len(self.seats) else None

    def price_level_of(self, place: int) -> PriceLevel:
        """The price level of a place.

        Raises:
            IndexError: there is no such place.
        """
        seat = self.seat_at(place)
        number = seat.price_level if seat else self.section_of(place).price_level
        assert number is not None, "a general-admission section has a price level"
        return self.price_levels[number]

    def segment_of(self, place: int) -> Segment:
        """The run of adjacent seats that a seat belongs to.

        Raises:
            IndexError: the place is not a seat.
        """
        if not 0 <= place < len(self.seats):
            raise IndexError(place)
        return self.segments[bisect_right(self._segment_starts, place) - 1]


def split_at_aisles(seats: Sequence[Seat], section: int, row: int) -> list[Segment]:
    """The runs of adjacent seats of a row, cut where two seats are unusually far apart."""
    if not seats:
        return []
    gaps = [hypot(b.x - a.x, b.y - a.y) for a, b in pairwise(seats)]
    widest = _AISLE_FACTOR * median_low(gaps) if gaps else 0.0
    cuts = [position for position, gap in enumerate(gaps) if gap > widest > 0]
    first, place = seats[0].index, seats[0].index
    segments = []
    for cut in cuts:
        segments.append(Segment(first, place + cut, section, row))
        first = place + cut + 1
    segments.append(Segment(first, seats[-1].index, section, row))
    return segments


def _amount(money: Money) -> int:
    return money.amount
