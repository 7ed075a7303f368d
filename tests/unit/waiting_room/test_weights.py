"""Lots of less weight: exact, checkable, and as often ahead as their weight says."""

import random
from uuid import UUID

import pytest

from domain.waiting_room import (
    FIRST_UNDRAWN_PLACE,
    WEIGHT_CLASSES,
    commitment_of,
    drawn_place,
    entry_id_of,
    verify_draw,
    weight_class_at,
    weight_class_of,
)

SEED = bytes(range(32))
EVENT = UUID(int=7)
IDS = [entry_id_of(EVENT, UUID(int=number)) for number in range(6000)]


@pytest.mark.parametrize("weight_class", range(1, WEIGHT_CLASSES))
def test_lot_is_ahead_as_often_as_its_weight_says_when_two_are_compared(weight_class: int) -> None:
    pairs = zip(IDS[::2], IDS[1::2], strict=True)

    ahead = sum(drawn_place(SEED, one, weight_class) < drawn_place(SEED, other) for one, other in pairs)

    weight = 1 / (1 << weight_class)
    expected = weight / (1 + weight)
    deviation = (expected * (1 - expected) / 3000) ** 0.5
    assert abs(ahead / 3000 - expected) < 4 * deviation


@pytest.mark.parametrize("weight_class", range(WEIGHT_CLASSES))
def test_place_is_worse_and_in_bounds_when_the_weight_is_less(weight_class: int) -> None:
    for entry_id in IDS[:200]:
        place = drawn_place(SEED, entry_id, weight_class)
        assert drawn_place(SEED, entry_id) <= place < FIRST_UNDRAWN_PLACE
        assert int(float(place)) == place


def test_class_is_read_from_the_place_when_the_seed_is_public() -> None:
    entry_id = min(IDS, key=lambda each: drawn_place(SEED, each))

    places = [drawn_place(SEED, entry_id, each) for each in range(WEIGHT_CLASSES)]

    assert [weight_class_of(SEED, entry_id, place) for place in places] == list(range(WEIGHT_CLASSES))
    assert weight_class_of(SEED, entry_id, places[0] - 1) is None


def test_draw_is_refused_when_a_place_is_better_than_the_lot() -> None:
    entries = sorted(((each, drawn_place(SEED, each, 2)) for each in IDS[:50]), key=lambda entry: entry[1])
    assert verify_draw(commitment_of(SEED), SEED, entries)

    entries[0] = (entries[0][0], entries[0][1] - 1)

    assert not verify_draw(commitment_of(SEED), SEED, entries)


def test_classes_double_in_size_when_a_network_brings_many() -> None:
    found = [weight_class_at(points, 60) for points in (1, 60, 61, 180, 181, 420, 421, 7620, 7621)]

    assert found == [0, 0, 1, 1, 2, 2, 3, 6, 7]


def test_farm_gets_a_few_shares_when_it_brings_a_thousand_accounts() -> None:
    chance = random.Random(3)
    farm = [drawn_place(SEED, each, weight_class_at(n, 60)) for n, each in enumerate(IDS[:1000], start=1)]
    others = [drawn_place(SEED, each) for each in IDS[1000:]]
    chance.shuffle(others)

    front = sorted([*((place, True) for place in farm), *((place, False) for place in others)])[:600]

    # 246 of 5,246 lots by weight; 1,000 of 6,000 by heads.
    assert 10 <= sum(is_farm for _, is_farm in front) <= 50
