"""The order in which the seats of a row stand side by side, whatever order a plan's file has them in."""

from collections.abc import Sequence
from itertools import pairwise
from math import atan2, cos, hypot, sin
from statistics import fmean

Point = tuple[float, float]

# The chain below compares every seat with every other; a plan's rows with more seats are not bent into rings.
_LONGEST_CHAIN = 100
# A shorter way must be shorter by more than rounded coordinates can make it.
_SHORTER = 0.99


def side_by_side(points: Sequence[Point]) -> list[int]:
    """The indexes of the points in the order in which one walks along them.

    The given order stays where it is a way along the row, straight, curved or around a table; otherwise
    it is the shorter one of the order along the row's axis and of going to the nearest next one.
    """
    given = list(range(len(points)))
    along = _along_axis(points)
    if along in (given, given[::-1]):
        return given
    others = [along]
    if len(points) <= _LONGEST_CHAIN:
        others.append(_chain(points))
    best = min(others, key=lambda order: _length(points, order))
    if _length(points, best) >= _SHORTER * _length(points, given):
        return given
    return _as_given(best)


def _along_axis(points: Sequence[Point]) -> list[int]:
    """The order along the direction in which the points are spread most."""
    if len(points) < 2:
        return list(range(len(points)))
    middle_x, middle_y = fmean(x for x, _ in points), fmean(y for _, y in points)
    away = [(x - middle_x, y - middle_y) for x, y in points]
    angle = 0.5 * atan2(2 * sum(x * y for x, y in away), sum(x * x - y * y for x, y in away))
    shares = [x * cos(angle) + y * sin(angle) for x, y in away]
    return sorted(range(len(points)), key=lambda number: round(shares[number], 6))


def _chain(points: Sequence[Point]) -> list[int]:
    """From the point that is furthest from the middle always to the nearest one that is left."""
    middle = fmean(x for x, _ in points), fmean(y for _, y in points)
    left = set(range(len(points)))
    last = max(left, key=lambda number: (_gap(points[number], middle), -number))
    order = [last]
    left.remove(last)
    while left:
        here = points[last]
        last = min(left, key=lambda number: (_gap(points[number], here), number))
        order.append(last)
        left.remove(last)
    return order


def _as_given(order: list[int]) -> list[int]:
    """The order or its reverse, whichever runs in the direction of the given one."""
    middle = (len(order) - 1) / 2
    agrees = sum((place - middle) * number for place, number in enumerate(order))
    return order if agrees >= 0 else order[::-1]


def _length(points: Sequence[Point], order: list[int]) -> float:
    return sum(_gap(points[first], points[second]) for first, second in pairwise(order))


def _gap(first: Point, second: Point) -> float:
    return hypot(first[0] - second[0], first[1] - second[1])
