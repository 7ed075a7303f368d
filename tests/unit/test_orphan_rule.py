"""The orphan-seat rule, case by case."""

import pytest

from tests.orphan_rule import leaves_orphan


@pytest.mark.parametrize(
    ("segment", "chosen", "refused"),
    [
        (b"AAAA", [0, 1], False),  # the other half stays whole
        (b"AAAA", [1, 2], True),  # one at each end
        (b"AAAA", [1], True),  # one alone at the left
        (b"AAAA", [0, 1, 2], False),  # one over whatever is chosen
        (b"AAAA", [0, 2, 3], False),  # one over whatever is chosen
        (b"AAA", [1], True),  # two singles
        (b"AAA", [0], False),
        (b"AAAAA", [0, 2], True),  # a hole between the chosen
        (b"AAAAA", [0, 1, 2, 3, 4], False),
        (b"BAAB", [1], False),  # one over whatever is chosen
        (b"BABAAA", [3, 4, 5], False),  # the single at 1 was alone before
        (b"AABA", [3], False),  # filling a single
        (b"AAHAA", [0], False),  # each run has one over
        (b"AAHAAA", [0, 4], True),  # the second run is split in singles
        (b"AAXAA", [0, 1, 3, 4], False),
    ],
)
def test_choice_is_judged_by_the_holes_when_it_leaves_some(
    segment: bytes, chosen: list[int], refused: bool
) -> None:
    assert leaves_orphan(segment, chosen) is refused
