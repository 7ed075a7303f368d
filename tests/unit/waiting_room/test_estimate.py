"""The estimate of the waiting time, compared with a simulation of the same queue."""

import heapq
import math
import random
import statistics

import pytest

from domain.waiting_room import Pace, eta_seconds


def pace(**changes: float) -> Pace:
    values: dict[str, float] = {
        "admit_per_minute": 600,
        "max_active": 200,
        "admission_seconds": 600,
        "active": 0,
        "endings": 0,
        "shopping_seconds": 0,
    }
    return Pace(**{**values, **changes})  # type: ignore[arg-type]


def test_estimate_is_the_bucket_when_the_shop_never_fills() -> None:
    quick = pace(endings=1000, shopping_seconds=10_000, active=50)

    assert eta_seconds(1, quick) == 1
    assert eta_seconds(600, quick) == 60


def test_estimate_is_the_turnover_when_the_shop_is_full() -> None:
    full = pace(endings=10_000, shopping_seconds=1_000_000, active=200)

    assert eta_seconds(100, full) == pytest.approx(100 / (200 / 100), rel=0.05)


def test_estimate_is_unknown_when_no_visit_has_ended_and_the_free_places_are_not_enough() -> None:
    new = pace(active=150, endings=0, shopping_seconds=900)

    assert [eta_seconds(position, new) for position in (1, 50, 51)] == [1, 5, None]


def test_estimate_is_known_when_a_small_shop_has_turned_over_once() -> None:
    small = {"max_active": 4, "active": 4, "shopping_seconds": 400}

    assert eta_seconds(4, pace(endings=3, **small)) is None
    assert eta_seconds(4, pace(endings=4, **small)) is not None


def test_estimate_never_falls_with_the_position() -> None:
    now = pace(active=120, endings=50, shopping_seconds=4000)
    estimates = [eta_seconds(position, now) or 0 for position in range(1, 3000)]

    assert estimates == sorted(estimates)


def test_estimate_is_within_a_fifth_at_the_median_when_visits_vary() -> None:
    chance = random.Random(5)
    visits: list[float] = []
    admitted_at: list[float] = []
    guesses: dict[int, list[tuple[float, int]]] = {}
    endings = shopping = now = 0.0
    while len(admitted_at) < 4000:
        now += 0.1
        ended = 0
        while visits and visits[0] <= now:
            heapq.heappop(visits)
            ended += 1
        fade = math.exp(-ended / 200)  # as admit.lua measures it
        endings = endings * fade + ended
        shopping = shopping * fade + len(visits) * 0.1
        if len(visits) < 200:
            heapq.heappush(visits, now + chance.lognormvariate(3.5, 0.6))
            admitted_at.append(now)
        if round(now * 10) % 100 == 0:
            measured = pace(active=len(visits), endings=endings, shopping_seconds=shopping)
            for person in range(500, 4000, 500):
                if person > len(admitted_at):
                    guess = eta_seconds(person - len(admitted_at), measured)
                    if guess is not None:
                        guesses.setdefault(person, []).append((now, guess))

    errors = [
        abs(guess - (admitted_at[person - 1] - at)) / (admitted_at[person - 1] - at)
        for person, made in guesses.items()
        for at, guess in made
    ]
    assert statistics.median(errors) < 0.2
