"""Best available: seats that the engine chooses, adjacent where possible, the best row first."""

from random import Random

from domain.free_seats import Run, SeatFilter, clean_starts, offered, runs
from domain.layout import SeatMap, Section, SectionKind
from domain.split_seats import split_groups

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

    Adjacent seats in the first section and row, nearest to the row's centre. Seats with a restricted view
    only where nothing else is left or their level is asked for; wheelchair seats only when `accessible`,
    and then no others. The first third are the best ones; the rest are drawn with `rng` from further down,
    so that buyers who read the same map do not all try the same seats. A block leaves no orphan seat where
    that can be avoided. Where no block is left, the party is split into few parts near each other.

    `statuses` holds one byte a place, A for free; `price_level` and `section` are numbers.
    """
    if quantity < 1 or (section is not None and not 0 <= section < len(seat_map.sections)):
        return []
    sections = _seated(seat_map, section)
    for wanted in _filters(price_level, accessible):
        free = offered(seat_map, statuses, wanted)
        if blocks := _side_by_side(seat_map, statuses, free, quantity, sections):
            return _varied(blocks, limit, rng or Random())  # noqa: S311 - not a secret
    return split_groups(seat_map, free, quantity, sections, limit)


def _seated(seat_map: SeatMap, section: int | None) -> list[Section]:
    chosen = seat_map.sections if section is None else (seat_map.sections[section],)
    return [entry for entry in chosen if entry.kind is SectionKind.SEATED]


def _filters(price_level: int | None, accessible: bool) -> tuple[SeatFilter, ...]:
    anything = SeatFilter(price_level, accessible, None)
    if price_level is not None:
        return (anything,)
    return SeatFilter(None, accessible, False), anything


def _side_by_side(
    seat_map: SeatMap, statuses: bytes, free: bytes, quantity: int, sections: list[Section]
) -> list[Places]:
    """The best blocks in order; no two blocks of one run share a seat."""
    ranked: list[tuple[int, int, float, int]] = []
    for section in sections:
        for run in runs(seat_map, free, section.places, quantity):
            row = (section.number, run.segment.row)
            # The blocks of a row come from all its segments, so the pool is cut off between rows.
            if len(ranked) >= _POOL and ranked[-1][:2] != row:
                return _blocks(ranked, quantity)
            ideal = _centre(section, run) - (quantity - 1) / 2
            ranked += [(*row, abs(start - ideal), start) for start in _starts(run, statuses, quantity, ideal)]
        if len(ranked) >= _POOL:
            break
    return _blocks(ranked, quantity)


def _blocks(ranked: list[tuple[int, int, float, int]], quantity: int) -> list[Places]:
    return [tuple(range(start, start + quantity)) for *_, start in sorted(ranked)]


def _centre(section: Section, run: Run) -> float:
    """The middle of the row as a place; it may lie between two."""
    seats = section.rows[run.segment.row].seats
    return (seats[0].index + seats[-1].index) / 2


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
