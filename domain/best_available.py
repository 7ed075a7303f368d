"""Best available: seats that the engine chooses, adjacent where possible, the nearest to the stage first."""

from heapq import nsmallest
from itertools import islice
from random import Random

from domain.free_seats import Run, SeatFilter, clean_starts, offered
from domain.layout import SeatMap, Section, SectionKind
from domain.seat_ranking import Rank, ranking_of
from domain.split_seats import split_groups
from domain.wheelchair_parties import wheelchair_parties

Places = tuple[int, ...]

# The number of the best blocks that candidates are drawn from: enough for a rush over one map.
_POOL = 256
_MOST_BLOCKS_PER_RUN = 32


def candidates(
    seat_map: SeatMap,
    statuses: bytes,
    quantity: int,
    *,
    price_level: int | None = None,
    section: int | None = None,
    accessible: bool = False,
    limit: int = 24,
    rng: Random | None = None,
) -> list[Places]:
    """Up to `limit` candidates for `quantity` seats, best first; none where there are not enough seats.

    Adjacent seats, the nearest to the focal point first (`domain.focal_point`), the cheaper of equally near
    ones before the dearer. Seats with a restricted view only where nothing else is left or their level is
    asked for; wheelchair places and companion seats only when `accessible`, which takes one wheelchair
    place and companion seats beside it (`wheelchair_parties`). The first third are the best ones; the rest
    are drawn with `rng` from further down, so that buyers who read the same map do not all try the same
    seats. A block leaves no orphan seat where that can be avoided. Where no block is left, the party is
    split into few parts near each other.

    `statuses` holds one byte a place, A for free; `price_level` and `section` are numbers.
    """
    if quantity < 1 or (section is not None and not 0 <= section < len(seat_map.sections)):
        return []
    if accessible:
        return wheelchair_parties(seat_map, statuses, quantity, price_level, section, limit)
    for wanted in _filters(price_level):
        free = offered(seat_map, statuses, wanted)
        if blocks := _side_by_side(seat_map, statuses, free, quantity, section, limit):
            return _varied(blocks, limit, rng or Random())  # noqa: S311 - not a secret
    return split_groups(seat_map, free, quantity, _seated(seat_map, section), limit)


def _seated(seat_map: SeatMap, section: int | None) -> list[Section]:
    """The sections with seats, the one with the nearest seat first."""
    chosen = seat_map.sections if section is None else (seat_map.sections[section],)
    distances = ranking_of(seat_map).distances
    seated = [entry for entry in chosen if entry.kind is SectionKind.SEATED]
    return sorted(seated, key=lambda entry: min(distances[entry.places.start : entry.places.stop]))


def _filters(price_level: int | None) -> tuple[SeatFilter, ...]:
    anything = SeatFilter(price_level, companion=False)
    if price_level is not None:
        return (anything,)
    return SeatFilter(restricted_view=False, companion=False), anything


def _side_by_side(
    seat_map: SeatMap, statuses: bytes, free: bytes, quantity: int, section: int | None, limit: int
) -> list[Places]:
    """The best blocks in order, at least the first `limit` of all; no two blocks of one run share a seat."""
    ranking = ranking_of(seat_map)
    ranked: list[tuple[Rank, int]] = []
    furthest: float | None = None
    for near, run in ranking.free_runs(free, quantity, section):
        if len(ranked) >= _POOL:
            if furthest is None:
                best = nsmallest(limit, ranked)
                furthest = max(ranking.distance(start, quantity) for _, start in best)
            # No block of this segment or of a later one can be nearer than its nearest seat.
            if near.reach > furthest or len(ranked) >= 4 * _POOL:
                break
        ideal = near.ideal - (quantity - 1) / 2
        ranked += [
            (ranking.rank(start, quantity), start) for start in _starts(run, statuses, quantity, ideal)
        ]
    return [tuple(range(start, start + quantity)) for _, start in islice(sorted(ranked), _POOL)]


def _starts(run: Run, statuses: bytes, quantity: int, ideal: float) -> list[int]:
    """The starts of blocks that share no seat, the most central first."""
    chosen: list[int] = []
    low = high = 0
    for start in clean_starts(run, statuses, quantity, ideal):
        # Starts come outwards from the centre, so the places taken are always contiguous.
        if not chosen:
            low = high = start
        elif start >= high + quantity:
            high = start
        elif start <= low - quantity:
            low = start
        else:
            continue
        chosen.append(start)
        if len(chosen) == _MOST_BLOCKS_PER_RUN:
            break
    return chosen


def _varied(blocks: list[Places], limit: int, rng: Random) -> list[Places]:
    """The best blocks for a third of the limit, then a draw from the others, in their order."""
    if len(blocks) <= limit:
        return blocks
    best = max(1, limit // 3)
    drawn = sorted(rng.sample(range(best, len(blocks)), limit - best))
    return blocks[:best] + [blocks[position] for position in drawn]
