"""Seat maps as the schema shows them: the domain's layout with its public ids."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from domain.ids import Kind, Part, part_id, public_id
from domain.layout import PriceLevel, Seat, SeatMap, Section, SectionKind
from domain.money import Money
from domain.updates import SectionCount
from kit.ids import encode_uuid


@dataclass(frozen=True, slots=True)
class PriceLevelView:
    """A price with its public id."""

    public_id: str
    name: str
    color: str | None
    price: Money
    fee: Money
    total: Money


@dataclass(slots=True)  # not frozen: a map has thousands, and frozen ones take four times as long to build
class SeatView:
    """A seat with its public ids."""

    public_id: str
    index: int
    row: str
    number: str
    x: float
    y: float
    price_level_id: str
    accessible: bool
    restricted_view: bool


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section of one event."""

    event_id: UUID
    section: Section

    @property
    def public_id(self) -> str:
        """E.g. sec_01jd3x8k2m9q4r5s6t7v8w9x0y_3."""
        return part_id(Part.SECTION, self.event_id, self.section.number)

    @property
    def name(self) -> str:
        """As printed on tickets."""
        return self.section.name

    @property
    def kind(self) -> SectionKind:
        """Numbered seats or capacity alone."""
        return self.section.kind

    @property
    def capacity(self) -> int:
        """The number of its places."""
        return self.section.capacity

    @property
    def seats(self) -> list[SeatView]:
        """Its seats in order; none in general admission."""
        return list(seat_views(self.event_id, (seat for row in self.section.rows for seat in row.seats)))


@dataclass(frozen=True, slots=True)
class SeatMapView:
    """A seat map with its public ids and its address."""

    seat_map: SeatMap

    @property
    def public_id(self) -> str:
        """E.g. map_3f2c...: the version names the map."""
        return f"map_{self.seat_map.version}"

    @property
    def version(self) -> str:
        """The digest of the layout and its prices."""
        return self.seat_map.version

    @property
    def width(self) -> int:
        """In the plan's units."""
        return self.seat_map.width

    @property
    def height(self) -> int:
        """In the plan's units."""
        return self.seat_map.height

    @property
    def seat_count(self) -> int:
        """The number of numbered seats."""
        return self.seat_map.seat_count

    @property
    def price_levels(self) -> list[PriceLevelView]:
        """Every price of the event."""
        return [price_level_view(self.seat_map.event_id, level) for level in self.seat_map.price_levels]

    @property
    def sections(self) -> list[SectionView]:
        """Every section, seated ones first."""
        return [SectionView(self.seat_map.event_id, section) for section in self.seat_map.sections]

    @property
    def url(self) -> str:
        """The address of the whole map as one document (endpoints.seatmaps)."""
        return seat_map_path(self.seat_map.version)

    @property
    def rows_url(self) -> str:
        """The address of the map by rows (endpoints.seat_rows)."""
        return seat_map_rows_path(self.seat_map.version)


@dataclass(frozen=True, slots=True)
class SectionAvailabilityView:
    """The counts of one section."""

    section_id: str
    name: str
    available: int
    held: int
    booked: int
    total: int


def seat_map_path(version: str) -> str:
    """Return the address of a seat map's document, relative to the API's."""
    return f"/seatmaps/{version}.json"


def seat_statuses_path(event_id: UUID) -> str:
    """Return the address of an event's statuses as a document (endpoints.seat_statuses)."""
    return f"/events/{public_id(Kind.EVENT, event_id)}/seats"


def seat_map_rows_path(version: str) -> str:
    """Return the address of the document by rows, relative to the API's."""
    return f"/seatmaps/{version}/rows.json"


def price_level_view(event_id: UUID, level: PriceLevel) -> PriceLevelView:
    """Return a price level with its public id."""
    return PriceLevelView(
        part_id(Part.PRICE_LEVEL, event_id, level.number),
        level.name,
        level.color,
        level.price,
        level.fee,
        level.total,
    )


def seat_views(event_id: UUID, seats: Iterator[Seat]) -> Iterator[SeatView]:
    """Yield seats with their public ids; the event's part of the ids is encoded once."""
    letters = encode_uuid(event_id)
    seat_prefix, level_prefix = f"{Part.SEAT.value}_{letters}_", f"{Part.PRICE_LEVEL.value}_{letters}_"
    for seat in seats:
        yield SeatView(
            f"{seat_prefix}{seat.index}",
            seat.index,
            seat.row,
            seat.number,
            seat.x,
            seat.y,
            f"{level_prefix}{seat.price_level}",
            seat.accessible,
            seat.restricted_view,
        )


def section_counts(event_id: UUID, counts: tuple[SectionCount, ...]) -> list[SectionAvailabilityView]:
    """Return counts with their public ids."""
    return [
        SectionAvailabilityView(
            part_id(Part.SECTION, event_id, each.number),
            each.name,
            each.available,
            each.held,
            each.booked,
            each.total,
        )
        for each in counts
    ]
