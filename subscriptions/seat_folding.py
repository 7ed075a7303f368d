"""Merge changes of seats, so that a slow subscriber buffers at most one map."""

from collections.abc import Iterable, Sequence

from domain.availability import count_section
from domain.layout import SeatMap
from domain.updates import SeatAvailabilityUpdate, SectionCount
from reservations.outcomes import Delta


def fold(deltas: Iterable[Delta]) -> dict[int, str]:
    """Return the last state of every place that changed."""
    states: dict[int, str] = {}
    for delta in deltas:
        for state, places in delta.changes:
            states.update(dict.fromkeys(places, state))
    return states


def difference(before: bytes, after: bytes) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return the places that differ between two maps, by their new state."""
    by_state: dict[str, list[int]] = {}
    for place, (old, new) in enumerate(zip(before, after, strict=False)):
        if old != new:
            by_state.setdefault(chr(new), []).append(place)
    return tuple((state, tuple(places)) for state, places in by_state.items())


def changed_sections(seat_map: SeatMap, places: bytes, changes: Iterable[int]) -> tuple[SectionCount, ...]:
    """Return the counts of the sections that have changed places."""
    numbers = sorted({seat_map.section_of(place).number for place in changes})
    return tuple(count_section(seat_map.sections[number], places) for number in numbers)


def merged(earlier: SeatAvailabilityUpdate, later: SeatAvailabilityUpdate) -> SeatAvailabilityUpdate:
    """Merge two updates into one from the earlier's previous version to the later's version."""
    return SeatAvailabilityUpdate(
        event_id=later.event_id,
        version=later.version,
        previous_version=earlier.previous_version,
        statuses=None,
        changes=tuple({**dict(earlier.changes), **dict(later.changes)}.items()),
        sections=_latest(earlier.sections, later.sections),
    )


def _latest(earlier: Sequence[SectionCount], later: Sequence[SectionCount]) -> tuple[SectionCount, ...]:
    counts = {count.number: count for count in (*earlier, *later)}
    return tuple(counts[number] for number in sorted(counts))
