"""Searching free seats in a map's statuses with operations on bytes, not loops over seats."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from domain.layout import Seat, SeatMap, Segment
from domain.seat_status import FREE
from kit.derived import kept_with_source

_FREE_BYTE = FREE[0]


@dataclass(frozen=True, slots=True)
class SeatFilter:
    """The kinds of seats that may be offered; None accepts either kind."""

    price_level: int | None = None
    accessible: bool | None = False
    restricted_view: bool | None = None
    companion: bool | None = None

    def admits(self, seat: Seat) -> bool:
        """Whether a seat may be offered."""
        return (
            self.price_level in (None, seat.price_level)
            and self.accessible in (None, seat.accessible)
            and self.restricted_view in (None, seat.restricted_view)
            and self.companion in (None, seat.companion)
        )


@dataclass(frozen=True, slots=True)
class Run:
    """Adjacent free seats: places `start` to `stop` - 1, all in one segment."""

    start: int
    stop: int
    segment: Segment

    def __len__(self) -> int:
        return self.stop - self.start


@kept_with_source(most=16)
def _mask(seat_map: SeatMap, wanted: SeatFilter) -> int:
    """One byte a seat: 0xff where it may be offered, 0x00 where not."""
    marks = bytes(0xFF if wanted.admits(seat) else 0x00 for seat in seat_map.seats)
    return int.from_bytes(marks, "little")


def offered(seat_map: SeatMap, statuses: bytes, wanted: SeatFilter) -> bytes:
    """The statuses of the seats; seats that may not be offered are 0."""
    size = seat_map.seat_count
    known = int.from_bytes(statuses[:size], "little") & _mask(seat_map, wanted)
    return known.to_bytes(size, "little")


def runs(seat_map: SeatMap, free: bytes, places: range, quantity: int = 1) -> Iterator[Run]:
    """The runs of at least `quantity` free seats in `places`, in the order of the plan."""
    block = FREE * quantity
    pattern = at_least(quantity)
    place, stop = places.start, min(places.stop, len(free))
    while (place := free.find(block, place, stop)) >= 0:
        segment = seat_map.segment_of(place)
        end = min(segment.last + 1, stop)
        for match in pattern.finditer(free, place, end):
            yield Run(match.start(), match.end(), segment)
        place = end


@lru_cache(maxsize=64)
def at_least(quantity: int) -> re.Pattern[bytes]:
    """The pattern of a run of so many free seats or more."""
    return re.compile(FREE + b"{%d,}" % quantity)


def clean_starts(run: Run, statuses: bytes, quantity: int, ideal: float) -> Iterator[int]:
    """The starts of a block in a run, nearest to `ideal` first, that leave no orphan seat.

    Seats that are free but may not be offered count as free neighbours, as they do in
    reservations/lua/hold.lua, which enforces the rule. A run with one seat left over gives its ends.
    """
    before, after = _free_around(run, statuses)
    excused = after - before - quantity == 1
    for start in _nearest_first(run.start, run.stop - quantity, ideal):
        if excused or (start - before != 1 and after - start - quantity != 1):
            yield start


def _free_around(run: Run, statuses: bytes) -> tuple[int, int]:
    """The free seats around a run, whether they may be offered or not."""
    before, after = run.start, run.stop
    while before > run.segment.first and statuses[before - 1] == _FREE_BYTE:
        before -= 1
    while after <= run.segment.last and statuses[after] == _FREE_BYTE:
        after += 1
    return before, after


def _nearest_first(first: int, last: int, ideal: float) -> Iterator[int]:
    """The whole numbers from `first` to `last` in the order of their distance from `ideal`."""
    below = min(max(round(ideal), first), last)
    above = below + 1
    while below >= first or above <= last:
        if above > last or (below >= first and ideal - below <= above - ideal):
            yield below
            below -= 1
        else:
            yield above
            above += 1
