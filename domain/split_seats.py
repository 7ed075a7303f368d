"""Splitting a party that no row can hold any more: few parts, near each other."""

from collections.abc import Sequence
from heapq import nlargest, nsmallest
from itertools import islice
from math import hypot

from domain.free_seats import Run
from domain.layout import SeatMap, Section
from domain.seat_ranking import ranking_of
from domain.seat_status import FREE

Places = tuple[int, ...]

_MOST_GROUPS = 12
_ANCHORS_PER_SECTION = 4
# A fragmented section has thousands of runs; this many of the best rows are enough.
_MOST_RUNS = 400


def split_groups(
    seat_map: SeatMap, free: bytes, quantity: int, sections: Sequence[Section], limit: int
) -> list[Places]:
    """Up to `limit` ways to seat a party in parts, within one section where one has enough seats.

    Sections come in the order given; in each, the parts lie around its longest runs of free seats, of equally
    long ones those in the best rows. None where there are not enough seats.
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
    parts = _runs(seat_map, free, section, most)
    longest = nlargest(_ANCHORS_PER_SECTION, parts, key=len)
    return list(dict.fromkeys(_around(seat_map, anchor, parts, quantity) for anchor in longest))


def _runs(seat_map: SeatMap, free: bytes, section: Section, most: int | None = None) -> list[Run]:
    """The runs of free seats of a section, those of the best rows first."""
    found = ranking_of(seat_map).free_runs(free, 1, section.number)
    return [run for _, run in islice(found, most)]


def _around(seat_map: SeatMap, anchor: Run, parts: Sequence[Run], quantity: int) -> Places:
    """The anchor, then the nearest parts; a part that seats all the others ends the search."""

    def nearness(run: Run) -> tuple[float, int]:
        return _gap(seat_map, anchor, run), -len(run)

    others = nsmallest(4 * quantity, (run for run in parts if run is not anchor), key=nearness)
    chosen = _taken(anchor, quantity)
    while len(chosen) < quantity:
        missing = quantity - len(chosen)
        whole = next((run for run in others if len(run) >= missing), others[0])
        others.remove(whole)
        chosen += _taken(whole, missing)
    return tuple(sorted(chosen))


def _gap(seat_map: SeatMap, first: Run, second: Run) -> float:
    """The distance between the nearest ends of two runs."""
    ends = [[seat_map.seats[place] for place in (run.start, run.stop - 1)] for run in (first, second)]
    return min(hypot(one.x - other.x, one.y - other.y) for one in ends[0] for other in ends[1])


def _across(seat_map: SeatMap, free: bytes, quantity: int, sections: Sequence[Section]) -> list[Places]:
    """One way over several sections that have fewer than `quantity` free seats each."""
    parts = [run for section in sections for run in _runs(seat_map, free, section)]
    if sum(len(run) for run in parts) < quantity:
        return []
    chosen: list[int] = []
    for run in sorted(parts, key=len, reverse=True):
        chosen += _taken(run, quantity - len(chosen))
    return [tuple(sorted(chosen))]


def _taken(run: Run, most: int) -> list[int]:
    return list(range(run.start, min(run.stop, run.start + most)))
