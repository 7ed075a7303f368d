"""Results that are kept with the object that they were worked out from."""

import gc
import weakref
from dataclasses import dataclass

from kit.derived import kept_with_source


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Plan:
    """Something large."""

    name: str


def test_a_result_is_worked_out_once_when_the_arguments_are_the_same() -> None:
    worked: list[tuple[str, int]] = []

    @kept_with_source(most=2)
    def length(plan: Plan, number: int) -> int:
        worked.append((plan.name, number))
        return len(plan.name) * number

    plan, other = Plan("a"), Plan("bb")
    assert [length(plan, 1), length(plan, 1), length(other, 1), length(plan, 2)] == [1, 1, 2, 2]
    assert worked == [("a", 1), ("bb", 1), ("a", 2)]


def test_the_least_recent_result_goes_when_there_are_too_many() -> None:
    worked: list[int] = []

    @kept_with_source(most=2)
    def same(_: Plan, number: int) -> int:
        worked.append(number)
        return number

    plan = Plan("a")
    for number in (1, 2, 1, 3, 1, 2):
        same(plan, number)

    assert worked == [1, 2, 3, 2]


def test_the_object_ends_when_nobody_else_has_it() -> None:
    @kept_with_source()
    def name(plan: Plan) -> str:
        return plan.name

    plan = Plan("a")
    name(plan)
    seen = weakref.ref(plan)
    del plan
    gc.collect()

    assert seen() is None
