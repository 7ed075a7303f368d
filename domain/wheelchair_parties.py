"""Seats for somebody in a wheelchair and those who come along."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice
from math import hypot

from domain.free_seats import SeatFilter, offered
from domain.layout import Seat, SeatMap
from domain.seat_ranking import Rank, Ranking, ranking_of
from domain.seat_status import FREE

Places = tuple[int, ...]

_FREE = re.compile(FREE)
# Wheelchair places that are looked around, the nearest to the stage first.
_MOST_PLACES = 256
_MOST_SPLIT = 12


@dataclass(frozen=True, slots=True)
class _Search:
    seat_map: SeatMap
    ranking: Ranking
    free: bytes  # every free seat, of any kind, A; others 0 or another status
    wheelchair_places: list[int]  # the free ones that may be chosen, best first
    quantity: int


def wheelchair_parties(
    seat_map: SeatMap,
    statuses: bytes,
    quantity: int,
    price_level: int | None,
    section: int | None,
    limit: int,
) -> list[Places]:
    """Up to `limit` parties of `quantity` seats with a wheelchair place; none where seats are too few.

    Adjacent seats with companion seats beside one wheelchair place come first, then those with more
    wheelchair places, then those with ordinary seats beside it; among equals the nearest to the stage. Where
    no block is left, the nearest seats to a wheelchair place. `price_level` is that of the wheelchair place.
    """
    search = _search(seat_map, statuses, quantity, price_level, section)
    if not search.wheelchair_places:
        return []
    blocks = dict.fromkeys(start for _, start in sorted(_blocks(search)))
    found = [tuple(range(start, start + quantity)) for start in islice(blocks, limit)]
    return found or list(dict.fromkeys(_split(search, min(limit, _MOST_SPLIT))))


def _search(
    seat_map: SeatMap, statuses: bytes, quantity: int, price_level: int | None, section: int | None
) -> _Search:
    ranking = ranking_of(seat_map)
    free = _within(seat_map, offered(seat_map, statuses, SeatFilter(None, None, None)), section)
    places = _within(seat_map, offered(seat_map, statuses, SeatFilter(price_level, True, None)), section)
    best = nsmallest(_MOST_PLACES, _free_places(places), key=ranking.distances.__getitem__)
    return _Search(seat_map, ranking, free, best, quantity)


def _free_places(statuses: bytes) -> Iterator[int]:
    return (match.start() for match in _FREE.finditer(statuses))


def _within(seat_map: SeatMap, free: bytes, section: int | None) -> bytes:
    """The free seats of a section alone."""
    if section is None:
        return free
    places = seat_map.sections[section].places
    return bytes(places.start) + free[places.start : places.stop] + bytes(len(free) - places.stop)


def _blocks(search: _Search) -> Iterator[tuple[tuple[int, int, Rank], int]]:
    """The blocks of adjacent free seats around each wheelchair place, with what they are ranked by."""
    wanted = FREE * search.quantity
    for place in search.wheelchair_places:
        segment = search.seat_map.segment_of(place)
        first = max(segment.first, place - search.quantity + 1)
        last = min(place, segment.last - search.quantity + 1)
        for start in range(first, last + 1):
            if search.free[start : start + search.quantity] == wanted:
                yield _key(search, start), start


def _key(search: _Search, start: int) -> tuple[int, int, Rank]:
    seats = search.seat_map.seats[start : start + search.quantity]
    ordinary = sum(not (seat.accessible or seat.companion) for seat in seats)
    wheelchair = sum(seat.accessible for seat in seats)
    return ordinary, wheelchair, search.ranking.rank(start, search.quantity)


def _split(search: _Search, limit: int) -> Iterator[Places]:
    """For each of the best wheelchair places the nearest seats of the others."""
    seats = search.seat_map.seats
    others = [seats[place] for place in _free_places(search.free)]
    if len(others) < search.quantity:
        return
    for place in search.wheelchair_places[:limit]:
        here = seats[place]

        def nearness(seat: Seat, here: Seat = here) -> tuple[bool, bool, float]:
            return seat is not here, not (seat.companion or seat.accessible), _gap(seat, here)

        yield tuple(sorted(seat.index for seat in nsmallest(search.quantity, others, key=nearness)))


def _gap(first: Seat, second: Seat) -> float:
    return hypot(first.x - second.x, first.y - second.y)
