"""Counts of places by status, from one byte a place."""

from dataclasses import dataclass

from domain.layout import SeatMap, Section, SectionKind
from domain.seat_status import BOOKED, FREE, HELD
from domain.updates import SectionCount


@dataclass(frozen=True, slots=True)
class PlaceCounts:
    """The number of places, in all and by status; the blocked ones are the rest."""

    available: int
    held: int
    booked: int
    total: int


def count_places(places: bytes, first: int = 0, end: int | None = None) -> PlaceCounts:
    """The counts over `places[first:end]`."""
    stop = len(places) if end is None else end
    return PlaceCounts(
        available=places.count(FREE, first, stop),
        held=places.count(HELD, first, stop),
        booked=places.count(BOOKED, first, stop),
        total=stop - first,
    )


def count_section(section: Section, places: bytes) -> SectionCount:
    """The counts of one section."""
    counts = count_places(places, section.first_place, section.first_place + section.capacity)
    return SectionCount(
        section.number, section.name, counts.available, counts.held, counts.booked, section.capacity
    )


def count_sections(seat_map: SeatMap, places: bytes) -> tuple[SectionCount, ...]:
    """The counts of every section, in the order of the map."""
    return tuple(count_section(section, places) for section in seat_map.sections)


def count_general_admission(seat_map: SeatMap, places: bytes) -> tuple[SectionCount, ...]:
    """The counts of the sections without numbered seats."""
    return tuple(
        count_section(section, places)
        for section in seat_map.sections
        if section.kind is SectionKind.GENERAL_ADMISSION
    )
