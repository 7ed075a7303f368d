"""Seats of a row side by side, whatever the order of the file."""

from itertools import pairwise
from math import cos, pi, sin
from random import Random

import pytest

from domain.row_order import side_by_side

Points = list[tuple[float, float]]


def line(count: int) -> Points:
    """A slanting row with an aisle in its middle."""
    return [(10.0 * n + (30 if n >= count // 2 else 0), 3.0 * n) for n in range(count)]


def arc(count: int, turn: float) -> Points:
    """Seats on an arc or around a table, in whole units as plans have them."""
    return [
        (float(round(300 * cos(turn * n / count))), float(round(300 * sin(turn * n / count))))
        for n in range(count)
    ]


@pytest.mark.parametrize(
    "points", [line(12), arc(24, pi / 2), arc(8, 2 * pi), [(0.0, 0.0)] * 5, [], [(1, 1)]]
)
def test_the_order_of_the_file_stays_when_it_goes_along_the_row(points: Points) -> None:
    assert side_by_side(points) == list(range(len(points)))
    assert side_by_side(points[::-1]) == list(range(len(points)))


@pytest.mark.parametrize("points", [line(12), arc(24, pi / 2)])
@pytest.mark.parametrize("seed", range(5))
def test_a_mixed_row_is_walked_from_one_end_to_the_other(points: Points, seed: int) -> None:
    mixed = Random(seed).sample(range(len(points)), len(points))
    found = [mixed[number] for number in side_by_side([points[number] for number in mixed])]
    assert found in (list(range(len(points))), list(range(len(points)))[::-1])


@pytest.mark.parametrize("seed", range(5))
def test_a_mixed_table_is_walked_around(seed: int) -> None:
    points = arc(8, 2 * pi)
    mixed = Random(seed).sample(range(8), 8)
    found = [mixed[number] for number in side_by_side([points[number] for number in mixed])]
    steps = {(after - before) % 8 for before, after in pairwise(found)}
    assert steps in ({1}, {7})


def test_the_direction_of_the_file_is_kept() -> None:
    points = line(6)
    odd_left_even_right = [0, 2, 1, 3, 5, 4]
    assert side_by_side([points[number] for number in odd_left_even_right]) == [0, 2, 1, 3, 5, 4]
    assert side_by_side([points[number] for number in odd_left_even_right[::-1]]) == [1, 0, 2, 4, 3, 5]
