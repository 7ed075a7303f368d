"""Which seats of a map are better: the nearer ones to what the audience looks at, worked out once a map."""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import hypot
from operator import itemgetter
from statistics import median_low

from domain.focal_point import focal_point
from domain.free_seats import Run, at_least
from domain.layout import SeatMap, Segment
from domain.seat_status import FREE
from kit.derived import kept_with_source

# Blocks whose distances differ by less than this share of the space between two seats are equally near.
_EQUAL_SHARE = 0.1
# Distances in plans of whole units never end in this share of a step, where the last bit would decide.
_OFF_GRID = 0.3137
# Of two seats that are equally near the one further up or left is first, whichever way the row is numbered.
_ASIDE = 1e-6
_SEGMENTS_PER_CHUNK = 128
_PART = b"\0"  # between two segments, and no status

Rank = tuple[int, int, float, float]
"""Lower is better: distance in steps, price in minor units, then from the top and the left of the map."""


@dataclass(frozen=True, slots=True)
class RankedSegment:
    """A segment, the distance of its nearest seat, and the place, perhaps between two, that is nearest."""

    segment: Segment
    reach: float
    ideal: float


class Ranking:
    """The distances and prices of a map's seats, and its segments from the nearest to the furthest."""

    def __init__(self, seat_map: SeatMap) -> None:
        self._seats = seat_map.seats
        x, y = focal_point(seat_map)
        self.distances = array("d", (hypot(seat.x - x, seat.y - y) for seat in seat_map.seats))
        prices = (seat_map.price_levels[seat.price_level].total.amount for seat in seat_map.seats)
        self._distance_sums = array("d", accumulate(self.distances, initial=0.0))
        self._price_sums = list(accumulate(prices, initial=0))
        self._step = _spacing(seat_map) * _EQUAL_SHARE
        ranked = [self._ranked(segment) for segment in seat_map.segments]
        ranked.sort(key=lambda each: (each.reach, self._corner(each.segment.first)))
        self._chunks = _chunks(ranked)
        self._chunks_of_section = {
            section.number: _chunks([each for each in ranked if each.segment.section == section.number])
            for section in seat_map.sections
        }

    def distance(self, start: int, quantity: int) -> float:
        """The mean distance of a block of adjacent places."""
        return (self._distance_sums[start + quantity] - self._distance_sums[start]) / quantity

    def rank(self, start: int, quantity: int) -> Rank:
        """The rank of a block of adjacent places: distance, then price, then its place on the map."""
        price = self._price_sums[start + quantity] - self._price_sums[start]
        steps = int(self.distance(start, quantity) / self._step + _OFF_GRID)
        return steps, price, *min(self._corner(start), self._corner(start + quantity - 1))

    def _ranked(self, segment: Segment) -> RankedSegment:
        nearest = min(range(segment.first, segment.last + 1), key=self.distances.__getitem__)
        aside = -_ASIDE if self._corner(segment.first) <= self._corner(segment.last) else _ASIDE
        ideal = nearest + _shift(segment, nearest, self.distances) + aside
        return RankedSegment(segment, self.distances[nearest], ideal)

    def _corner(self, place: int) -> tuple[float, float]:
        seat = self._seats[place]
        return seat.y, seat.x

    def free_runs(
        self, free: bytes, quantity: int, section: int | None = None
    ) -> Iterator[tuple[RankedSegment, Run]]:
        """The runs of at least `quantity` free seats, those of the nearest segment first."""
        chunks = self._chunks if section is None else self._chunks_of_section[section]
        block, pattern = FREE * quantity, at_least(quantity)
        for chunk in chunks:
            row = chunk.cut(free)
            position = row.find(block)
            while position >= 0:
                ranked, start = chunk.at(position)
                shift, end = ranked.segment.first - start, start + len(ranked.segment)
                for match in pattern.finditer(row, position, end):
                    yield ranked, Run(match.start() + shift, match.end() + shift, ranked.segment)
                position = row.find(block, end)


class _Chunk:
    """Some segments next to each other in rank, whose statuses are cut out together."""

    def __init__(self, ranked: Sequence[RankedSegment]) -> None:
        self._ranked = ranked
        slices = [slice(each.segment.first, each.segment.last + 1) for each in ranked]
        self._cut = itemgetter(*slices)
        self._is_one = len(slices) == 1
        lengths = [len(each.segment) + len(_PART) for each in ranked]
        self._starts = [0, *accumulate(lengths[:-1])]

    def cut(self, free: bytes) -> bytes:
        """The statuses of the segments in their order, with a byte that is no status between them."""
        parts = self._cut(free)
        return bytes(parts) if self._is_one else _PART.join(parts)

    def at(self, position: int) -> tuple[RankedSegment, int]:
        """The segment at a position of the cut, and where it starts there."""
        number = bisect_right(self._starts, position) - 1
        return self._ranked[number], self._starts[number]


@kept_with_source()
def ranking_of(seat_map: SeatMap) -> Ranking:
    """The ranking of a map, worked out at its first use."""
    return Ranking(seat_map)


def _chunks(ranked: Sequence[RankedSegment]) -> list[_Chunk]:
    size = _SEGMENTS_PER_CHUNK
    return [_Chunk(ranked[first : first + size]) for first in range(0, len(ranked), size)]


def _shift(segment: Segment, nearest: int, distances: Sequence[float]) -> float:
    """How far from the nearest seat the nearest point of its row lies, in seats: -0.5 to 0.5.

    Along a straight row the square of the distance is a parabola, whose vertex three seats give.
    """
    if not segment.first < nearest < segment.last:
        return 0.0
    before, here, after = (distances[nearest + step] ** 2 for step in (-1, 0, 1))
    bend = before - 2 * here + after
    return 0.0 if bend <= 0 else min(0.5, max(-0.5, (before - after) / (2 * bend)))


def _spacing(seat_map: SeatMap) -> float:
    """The usual space between two neighbours; 1 where there are none, or all stand in one point."""
    rows = (row.seats for section in seat_map.sections for row in section.rows)
    gaps = [hypot(b.x - a.x, b.y - a.y) for row in rows for a, b in pairwise(row)]
    return (median_low(gaps) if gaps else 0.0) or 1.0
