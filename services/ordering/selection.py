"""Selections: the places that a buyer asks for, checked against the seat map and turned into candidates."""

from dataclasses import dataclass

from domain.alternatives import alternatives
from domain.best_available import candidates
from domain.errors import InvalidInput, LimitExceeded
from domain.layout import SeatMap, SectionKind
from kit.derived import kept_with_source
from reservations.outcomes import Candidate, FreeRange


@dataclass(frozen=True, slots=True)
class ExactSeats:
    """Exactly these seats."""

    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BestAvailable:
    """Seats that the engine chooses, perhaps of one price level or section."""

    quantity: int
    price_level: int | None = None
    section: int | None = None
    accessible: bool = False


@dataclass(frozen=True, slots=True)
class GeneralAdmission:
    """Places of a section without numbered seats."""

    section: int
    quantity: int


Selection = ExactSeats | BestAvailable | GeneralAdmission


def quantity_of(selection: Selection) -> int:
    """Return the number of tickets in a selection."""
    return len(selection.places) if isinstance(selection, ExactSeats) else selection.quantity


def check_selection(selection: Selection, seat_map: SeatMap, most: int) -> None:
    """Check a selection against the seat map and the limit of an order.

    Raises:
        InvalidInput: It is empty, names a seat twice, or names a part that this event does not have.
        LimitExceeded: It has more than `most` tickets.
    """
    quantity = quantity_of(selection)
    if quantity < 1:
        raise InvalidInput("Choose at least one ticket.")
    if quantity > most:
        raise LimitExceeded(f"One order holds at most {most} tickets.", limit=most, have=0)
    if isinstance(selection, ExactSeats):
        _check_seats(selection, seat_map)
    elif isinstance(selection, GeneralAdmission):
        if _section_kind(seat_map, selection.section) is not SectionKind.GENERAL_ADMISSION:
            raise InvalidInput("This section has numbered seats: choose them by seatIds or bestAvailable.")
    else:
        _check_best(selection, seat_map)


def _check_seats(selection: ExactSeats, seat_map: SeatMap) -> None:
    if len(set(selection.places)) != len(selection.places):
        raise InvalidInput("The same seat is asked for twice.")
    if any(place >= seat_map.seat_count for place in selection.places):
        raise InvalidInput("This event has no such seat.")


def _check_best(selection: BestAvailable, seat_map: SeatMap) -> None:
    section = selection.section
    if section is not None and _section_kind(seat_map, section) is not SectionKind.SEATED:
        raise InvalidInput("This section has no numbered seats: ask for generalAdmission.")
    if selection.price_level is not None and selection.price_level >= len(seat_map.price_levels):
        raise InvalidInput("This event has no such price level.")


def _section_kind(seat_map: SeatMap, number: int) -> SectionKind:
    if number >= len(seat_map.sections):
        raise InvalidInput("This event has no such section.")
    return seat_map.sections[number].kind


def exact_candidates(selection: ExactSeats, seat_map: SeatMap) -> list[Candidate]:
    """Return the one candidate of exact seats."""
    return [_candidate(seat_map, tuple(sorted(selection.places)))]


def free_range(selection: GeneralAdmission, seat_map: SeatMap) -> FreeRange:
    """Return the range of places of a section, any of which will do."""
    section = seat_map.sections[selection.section]
    return FreeRange(section.first_place, section.capacity, selection.quantity)


def best_candidates(selection: BestAvailable, seat_map: SeatMap, places: bytes) -> list[Candidate]:
    """Return candidates in order of preference; none where there are not enough free seats."""
    found = candidates(
        seat_map,
        places,
        selection.quantity,
        price_level=selection.price_level,
        section=selection.section,
        accessible=selection.accessible,
    )
    return [_candidate(seat_map, tuple(sorted(option))) for option in found]


@kept_with_source(most=16)  # in a rush many buyers want the same seats of the same map
def other_seats(seat_map: SeatMap, places: bytes, wanted: tuple[int, ...]) -> tuple[int, ...]:
    """Return as many free seats near the wanted ones, at the same price where possible."""
    return tuple(alternatives(seat_map, places, wanted, len(wanted)))


def _candidate(seat_map: SeatMap, places: tuple[int, ...]) -> Candidate:
    segments = dict.fromkeys((segment.first, segment.last) for segment in map(seat_map.segment_of, places))
    return Candidate(places, tuple(segments))
