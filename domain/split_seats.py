"""Splitting a party that no row can hold any more: few parts, near each other."""

from collections.abc import Sequence
from heapq import nlargest
from itertools import islice

from domain.free_seats import Run, runs
from domain.layout import SeatMap, Section
from domain.seat_status import FREE

Places = tuple[int, ...]

_MOST_GROUPS = 12
_ANCHORS_PER_SECTION = 4
# A fragmented section has thousands of runs; this many from the front are enough.
_MOST_RUNS = 400


def split_groups(
    seat_map: SeatMap, free: bytes, quantity: int, sections: Sequence[Section], limit: int
) -> list[Places]:
    """Up to `limit` ways to seat a party in parts, within one section where one has enough seats.

    Sections come in the order given; in each, the parts lie around its longest runs of free seats. None
    where there are not enough seats.
    """
    groups: list[Places] = []
    for section in sections:
        if free.count(FREE, section.first_place, section.places.stop) >= quantity:
            groups += _groups_in(seat_map, free, quantity, section)
        if len(groups) >= min(limit, _MOST_GROUPS):
            return groups[:limit]
    return groups or _across(seat_map, free, quantity, sections)


def _groups_in(seat_map: SeatMap, free: bytes, quantity: int, section: Section) -> list[Places]:
    most = max(_MOST_RUNS, quantity)
    parts = list(islice(runs(seat_map, free, section.places), most))
    longest = nlargest(_ANCHORS_PER_SECTION, range(len(parts)), key=lambda n: len(parts[n]))
    groups = (_around(parts[n], _beside(parts, n, 2 * quantity), quantity) for n in longest)
    return list(dict.fromkeys(groups))


def _beside(parts: list[Run], number: int, most: int) -> list[Run]:
    """Up to `most` parts on either side of one; near the ends of the list the same number in all."""
    first = max(0, min(number - most, len(parts) - 2 * most - 1))
    around = parts[first : first + 2 * most + 1]
    return [run for run in around if run is not parts[number]]


def _around(anchor: Run, others: list[Run], quantity: int) -> Places:
    """The anchor, then the parts of the nearest rows; a part that seats all the others ends the search."""

    def nearness(run: Run) -> tuple[int, int, int]:
        rows = abs(run.segment.row - anchor.segment.row)
        return rows, -len(run), abs(run.start - anchor.start)

    chosen = _taken(anchor, quantity)
    others.sort(key=nearness)
    while len(chosen) < quantity:
        missing = quantity - len(chosen)
        whole = next((run for run in others if len(run) >= missing), others[0])
        others.remove(whole)
        chosen += _taken(whole, missing)
    return tuple(sorted(chosen))


def _across(seat_map: SeatMap, free: bytes, quantity: int, sections: Sequence[Section]) -> list[Places]:
    """One way over several sections that have fewer than `quantity` free seats each."""
    parts = [run for section in sections for run in runs(seat_map, free, section.places)]
    if sum(len(run) for run in parts) < quantity:
        return []
    chosen: list[int] = []
    for run in sorted(parts, key=len, reverse=True):
        chosen += _taken(run, quantity - len(chosen))
    return [tuple(sorted(chosen))]


def _taken(run: Run, most: int) -> list[int]:
    return list(range(run.start, min(run.stop, run.start + most)))
