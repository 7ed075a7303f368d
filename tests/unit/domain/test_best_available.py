"""Choosing seats for a party: rank, filters, parts, and properties over any seat_map_of."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alternatives import alternatives
from domain.best_available import candidates
from domain.layout import SeatMap
from tests.orphan_rule import leaves_orphan
from tests.profiles import examples
from tests.unit.domain.seat_maps import seat_map_of, statuses

HALL = seat_map_of(["ssssssss", "ssssssss"], ["pppp pppp", "wwsssrrr"], floor=3)
PICTURES = st.lists(
    st.lists(st.text("sspwrc ", min_size=1, max_size=12), min_size=1, max_size=4),
    min_size=1,
    max_size=3,
).filter(lambda zones: all(any(row.strip() for row in rows) for rows in zones))


def test_the_nearest_to_the_middle_of_the_first_row_come_first_when_the_house_is_empty() -> None:
    best = candidates(HALL, statuses(HALL), 2)
    # The row's middle lies between 3 and 4; behind it, 20 units away, are 11 and 12. 1 and 2 would leave 0.
    assert best[:4] == [(3, 4), (11, 12), (0, 1), (6, 7)]


def test_block_moves_aside_when_the_centre_would_leave_one_seat_alone() -> None:
    # given 0 and 7 are taken: three seats in the middle of six would leave 1 and 2
    best = candidates(HALL, statuses(HALL, taken={0, 7, *range(8, 16)}), 3)
    assert best[0] == (1, 2, 3)


def test_aisle_is_not_crossed_when_seats_are_side_by_side() -> None:
    second = candidates(HALL, statuses(HALL), 4, price_level=1)
    assert second == [(16, 17, 18, 19), (20, 21, 22, 23)]
    assert candidates(HALL, statuses(HALL), 5, section=1, price_level=1)[0] == (16, 17, 18, 19, 20)


def test_wheelchair_places_are_offered_when_asked_for_and_to_nobody_else() -> None:
    assert candidates(HALL, statuses(HALL), 1, accessible=True) == [(25,), (24,)]
    everyone = candidates(HALL, statuses(HALL), 1, limit=100)
    assert not {24, 25} & {place for block in everyone for place in block}


def test_a_wheelchair_place_takes_a_companion_beside_it() -> None:
    house = seat_map_of(["ssssss", "wcsscw", "sscwcs"])
    free = statuses(house)
    # One wheelchair place each, the nearest to the first row's middle first; of three the middle one.
    assert candidates(house, free, 2, accessible=True) == [(14, 15), (6, 7), (10, 11), (15, 16)]
    assert candidates(house, free, 3, accessible=True)[0] == (14, 15, 16)
    # Neither kind is offered to others.
    everyone = {place for block in candidates(house, free, 1, limit=100) for place in block}
    assert everyone <= {*range(6), 8, 9, 12, 13, 17}
    assert not {6, 7, 10, 11, 14, 15, 16} & everyone


def test_ordinary_seats_are_beside_a_wheelchair_place_when_there_are_no_companion_seats() -> None:
    house = seat_map_of(["ssssss", "wssssw"])
    assert candidates(house, statuses(house), 2, accessible=True) == [(6, 7), (10, 11)]
    assert candidates(house, statuses(house), 4, accessible=True) == [(6, 7, 8, 9), (8, 9, 10, 11)]


def test_companions_are_as_near_as_can_be_when_nothing_is_free_beside_the_wheelchair_place() -> None:
    house = seat_map_of(["ssssss", "wcsscw"])
    free = statuses(house, taken={1, 7, 9, 10})
    assert candidates(house, free, 2, accessible=True) == [(6, 11)]
    assert candidates(house, statuses(house, free={0, 2, 6, 8}), 2, accessible=True) == [(0, 6)]
    assert candidates(house, statuses(house, free={0, 2, 6, 8}), 5, accessible=True) == []
    assert candidates(house, statuses(house, free={0, 2, 7, 8}), 2, accessible=True) == []


def test_the_level_of_an_accessible_party_is_that_of_the_wheelchair_place() -> None:
    house = seat_map_of(["sssw", "wcss"])
    level = house.seats[3].price_level
    assert candidates(house, statuses(house), 2, accessible=True, price_level=level)[0] == (4, 5)
    assert candidates(house, statuses(house), 2, accessible=True, price_level=0) == []
    assert candidates(house, statuses(house), 1, accessible=True, section=0, price_level=level) == [
        (3,),
        (4,),
    ]


def test_restricted_view_is_offered_when_nothing_else_is_left() -> None:
    assert candidates(HALL, statuses(HALL, free={29, 30, 31, 27}), 1)[0] == (27,)
    assert candidates(HALL, statuses(HALL, free={30, 31}), 2) == [(30, 31)]
    assert candidates(HALL, statuses(HALL), 3, price_level=3) == [(29, 30, 31)]


def test_party_is_split_over_near_rows_when_no_block_is_left() -> None:
    free = {0, 1, 2, 8, 9, 15, 16}
    assert candidates(HALL, statuses(HALL, free=free), 5)[0] == (0, 1, 2, 8, 9)


def test_party_is_split_over_sections_when_none_has_room() -> None:
    assert candidates(HALL, statuses(HALL, free={0, 1, 16}), 3) == [(0, 1, 16)]


@pytest.mark.parametrize("quantity", [0, -1, 33])
def test_nothing_is_offered_when_the_quantity_cannot_be_had(quantity: int) -> None:
    assert candidates(HALL, statuses(HALL), quantity) == []


@pytest.mark.parametrize("section", [-1, 2, 3])
def test_nothing_is_offered_when_the_section_has_no_seats(section: int) -> None:
    assert candidates(HALL, statuses(HALL), 1, section=section) == []


def test_rush_is_spread_when_all_look_at_the_same_map() -> None:
    big = seat_map_of(["s" * 40] * 20)
    seen = {block for seed in range(50) for block in candidates(big, statuses(big), 2, rng=Random(seed))}
    assert len(seen) > 150


def test_alternatives_to_a_wheelchair_party_have_a_wheelchair_place() -> None:
    house = seat_map_of(["wcsscw", "ssssss"])
    assert alternatives(house, statuses(house, taken={0}), {0, 1}, 2) == (4, 5)
    assert alternatives(house, statuses(house, taken={0, 1}), {1}, 1) == (4,)


def test_alternatives_are_next_to_the_wanted_when_those_are_gone() -> None:
    gone = {3, 4}
    # the same two of the row behind are nearer than two seats further along
    assert alternatives(HALL, statuses(HALL, taken=gone), gone, 2) == (11, 12)
    assert alternatives(HALL, statuses(HALL, taken=set(range(8))), {3, 4}, 2) == (11, 12)


def test_alternatives_keep_the_price_level_when_it_has_seats() -> None:
    # given all of the level is gone but two seats that are apart
    free = {16, 19, *range(8)}
    assert alternatives(HALL, statuses(HALL, free=free), {20, 21}, 2) == (16, 19)
    assert alternatives(HALL, statuses(HALL, free=set(range(8))), {20, 21}, 2)[0] < 8


def test_alternatives_are_empty_when_the_house_is_full_or_no_seat_was_wanted() -> None:
    assert alternatives(HALL, statuses(HALL, free=set()), {3}, 1) == ()
    assert alternatives(HALL, statuses(HALL), {33}, 1) == ()


@st.composite
def scenes(draw: st.DrawFn) -> tuple[SeatMap, bytes, int]:
    """A seat_map_of, what is taken of it, and the size of a party."""
    seat_map = seat_map_of(*draw(PICTURES))
    size = seat_map.place_count
    taken = bytes(draw(st.lists(st.sampled_from(b"AAABHX"), min_size=size, max_size=size)))
    return seat_map, taken, draw(st.integers(1, 9))


@settings(deadline=None, max_examples=examples(150))
@given(scenes(), st.booleans())
def test_every_candidate_can_be_had_when_any_is_offered(
    scene: tuple[SeatMap, bytes, int], accessible: bool
) -> None:
    seat_map, taken, quantity = scene
    free = [seat for seat in seat_map.seats if taken[seat.index] == ord("A")]
    wheelchair = {seat.index for seat in free if seat.accessible}
    ordinary = {seat.index for seat in free if not seat.accessible and not seat.companion}
    fitting = {seat.index for seat in free} if accessible else ordinary
    offers = candidates(seat_map, taken, quantity, accessible=accessible)
    assert bool(offers) is (len(fitting) >= quantity and bool(wheelchair or not accessible))
    for places in offers:
        assert len(set(places)) == quantity
        assert list(places) == sorted(places)
        assert set(places) <= fitting
        assert not accessible or wheelchair & set(places)


@settings(deadline=None, max_examples=examples(150))
@given(scenes())
def test_block_leaves_no_orphan_when_people_sit_side_by_side(
    scene: tuple[SeatMap, bytes, int],
) -> None:
    seat_map, taken, quantity = scene
    for places in candidates(seat_map, taken, quantity):
        segment = seat_map.segment_of(places[0])
        # Beside a free wheelchair seat, which is not offered, there may be no way to leave none alone.
        mixed = any(
            seat.accessible or seat.companion for seat in seat_map.seats[segment.first : segment.last + 1]
        )
        if not mixed and places[-1] - places[0] == quantity - 1 and places[-1] <= segment.last:
            offsets = [place - segment.first for place in places]
            assert not leaves_orphan(taken[segment.first : segment.last + 1], offsets)


@settings(deadline=None, max_examples=examples(150))
@given(scenes(), st.data())
def test_alternatives_are_free_and_as_many_when_there_are_enough(
    scene: tuple[SeatMap, bytes, int], data: st.DataObject
) -> None:
    seat_map, taken, quantity = scene
    wanted = data.draw(st.sets(st.integers(0, seat_map.seat_count - 1), min_size=1, max_size=4))
    found = alternatives(seat_map, taken, wanted, quantity)
    assert len(set(found)) in {0, quantity}
    assert all(taken[place] == ord("A") for place in found)
    seats = [seat_map.seats[place] for place in wanted]
    kinds = {seat.accessible for seat in seats}, {seat.companion for seat in seats}
    free = [
        seat
        for seat in seat_map.seats
        if taken[seat.index] == ord("A") and seat.accessible in kinds[0] and seat.companion in kinds[1]
    ]
    if len(free) >= quantity:
        assert found
    elif len(kinds[0]) == 1:  # for a wheelchair place with others a party takes companion seats, too
        assert not found
