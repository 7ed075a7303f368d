"""Alternatives to seats that are taken: as many, of the same price level, near to them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from math import hypot
from statistics import fmean

from domain.free_seats import Run, SeatFilter, clean_starts, offered, runs
from domain.layout import Seat, SeatMap, Section, SectionKind
from domain.split_seats import split_groups
from domain.wheelchair_parties import wheelchair_parties
from kit.derived import kept_with_source

Places = tuple[int, ...]
_Point = tuple[float, float]

# Rows around the wanted ones; beyond them the other sections come first.
_MOST_RUNS = 64


def alternatives(seat_map: SeatMap, statuses: bytes, wanted: Iterable[int], quantity: int) -> Places:
    """`quantity` free seats near the wanted ones; () where there are too few, or no wanted place is a seat.

    Adjacent and of the same price level; else in parts and of the same price level; else of any level.
    Wheelchair places and companion seats are offered only where one was wanted; for a wheelchair place with
    others beside it another such party comes first.
    """
    seats = [seat for place in wanted if (seat := seat_map.seat_at(place))]
    if not seats or quantity < 1:
        return ()
    if _only(seat.accessible for seat in seats) is None:
        home = seat_map.section_of(seats[0].index).number
        for section in (home, None):
            if parties := wheelchair_parties(seat_map, statuses, quantity, None, section, limit=1):
                return parties[0]
    level = Counter(seat.price_level for seat in seats).most_common(1)[0][0]
    sections = _nearest_sections(seat_map, seats)
    for price_level in (level, None):
        kinds = _only(seat.accessible for seat in seats), _only(seat.companion for seat in seats)
        free = offered(seat_map, statuses, SeatFilter(price_level, kinds[0], None, kinds[1]))
        if found := _side_by_side(seat_map, statuses, free, seats, quantity, sections):
            return found
        if groups := split_groups(seat_map, free, quantity, sections, limit=1):
            return groups[0]
    return ()


def _only(marks: Iterable[bool]) -> bool | None:
    """What all of the marks are; None where they differ."""
    kinds = set(marks)
    return kinds.pop() if len(kinds) == 1 else None


def _side_by_side(
    seat_map: SeatMap,
    statuses: bytes,
    free: bytes,
    seats: list[Seat],
    quantity: int,
    sections: Sequence[Section],
) -> Places:
    """The nearest block in the nearest section that has one."""
    target = _middle(seats)
    share = fmean(_share_of_row(seat_map, seat) for seat in seats)
    for section in sections:
        found = _runs_near(seat_map, free, section, quantity, seats[0])
        blocks = [_block(section, run, statuses, quantity, share) for run in found]
        if blocks:
            return min(blocks, key=lambda block: _distance(seat_map, block, target))
    return ()


def _runs_near(seat_map: SeatMap, free: bytes, section: Section, quantity: int, seat: Seat) -> list[Run]:
    """The runs of a section; in a very large section, those of the rows around the seat."""
    found = list(islice(runs(seat_map, free, section.places, quantity), _MOST_RUNS))
    if len(found) < _MOST_RUNS or seat.index not in section.places:
        return found
    row = section.rows[max(0, seat_map.segment_of(seat.index).row - 3)]
    around = range(row.seats[0].index, section.places.stop)
    return list(islice(runs(seat_map, free, around, quantity), _MOST_RUNS)) or found


def _block(section: Section, run: Run, statuses: bytes, quantity: int, share: float) -> Places:
    """The block of a run at the same relative position in its row as the wanted seats."""
    row = section.rows[run.segment.row].seats
    ideal = row[0].index + share * (len(row) - 1) - (quantity - 1) / 2
    start = next(clean_starts(run, statuses, quantity, ideal), run.start)
    return tuple(range(start, start + quantity))


def _share_of_row(seat_map: SeatMap, seat: Seat) -> float:
    """0 at the first seat of the row, 1 at its last."""
    section = seat_map.section_of(seat.index)
    row = section.rows[seat_map.segment_of(seat.index).row].seats
    return (seat.index - row[0].index) / max(1, len(row) - 1)


def _distance(seat_map: SeatMap, block: Places, target: _Point) -> float:
    first, last = seat_map.seats[block[0]], seat_map.seats[block[-1]]
    return hypot((first.x + last.x) / 2 - target[0], (first.y + last.y) / 2 - target[1])


def _middle(seats: Sequence[Seat]) -> _Point:
    return fmean(seat.x for seat in seats), fmean(seat.y for seat in seats)


def _nearest_sections(seat_map: SeatMap, seats: list[Seat]) -> list[Section]:
    """The seated sections, the wanted one first, then by the distance of their centres."""
    x, y = _middle(seats)
    home = seat_map.section_of(seats[0].index).number
    middles = _section_middles(seat_map)

    def distance(section: Section) -> float:
        middle = middles[section.number]
        return -1.0 if section.number == home else hypot(middle[0] - x, middle[1] - y)

    seated = (s for s in seat_map.sections if s.kind is SectionKind.SEATED)
    return sorted(seated, key=distance)


@kept_with_source()
def _section_middles(seat_map: SeatMap) -> dict[int, _Point]:
    seated = (s for s in seat_map.sections if s.kind is SectionKind.SEATED)
    return {s.number: _middle(seat_map.seats[s.places.start : s.places.stop]) for s in seated}
