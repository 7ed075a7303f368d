"""Looking things up in a seat map, and its document."""

import orjson
import pytest

from domain.layout import SectionKind, Segment
from domain.layout_document import from_document, to_document
from domain.money import Money
from tests.unit.domain.seat_maps import seat_map_of, won


def test_place_belongs_to_its_section_when_seats_and_general_admission_are_mixed() -> None:
    # given two zones of six and four seats, and a floor of 100
    seat_map = seat_map_of(["sss", "sss"], ["pppp"], floor=100)
    # then every place is found on its own side of each border
    names = {place: seat_map.section_of(place).name for place in (0, 5, 6, 9, 10, 109)}
    assert names == {0: "Zone 0", 5: "Zone 0", 6: "Zone 1", 9: "Zone 1", 10: "Floor", 109: "Floor"}
    assert seat_map.section_of(10).kind is SectionKind.GENERAL_ADMISSION
    assert (seat_map.seat_count, seat_map.place_count) == (10, 110)


@pytest.mark.parametrize("place", [-1, 110, 10_000])
def test_lookup_is_refused_when_there_is_no_such_place(place: int) -> None:
    seat_map = seat_map_of(["sss", "sss"], ["pppp"], floor=100)
    assert seat_map.seat_at(place) is None
    with pytest.raises(IndexError):
        seat_map.section_of(place)
    with pytest.raises(IndexError):
        seat_map.price_level_of(place)
    with pytest.raises(IndexError):
        seat_map.segment_of(place)


def test_price_is_the_categorys_when_seated_and_the_sections_when_not() -> None:
    seat_map = seat_map_of(["ssp"], floor=10)
    prices = [seat_map.price_level_of(place).price for place in (0, 2, 3, 12)]
    assert prices == [won(1000), won(2000), won(500), won(500)]
    assert seat_map.price_range == (won(500), won(2000))


def test_row_is_cut_when_an_aisle_runs_through_it() -> None:
    seat_map = seat_map_of(["sss  ss ss", "ssss"])
    assert seat_map.segments == (
        Segment(0, 2, 0, 0),
        Segment(3, 4, 0, 0),
        Segment(5, 6, 0, 0),
        Segment(7, 10, 0, 1),
    )
    assert [seat_map.segment_of(place).first for place in (2, 3, 4, 5, 10)] == [0, 3, 3, 5, 7]


def test_general_admission_has_no_segments_when_asked_for() -> None:
    seat_map = seat_map_of(["ss"], floor=5)
    with pytest.raises(IndexError):
        seat_map.segment_of(2)


def test_document_makes_the_same_map_when_read_back() -> None:
    seat_map = seat_map_of(["ssw", "srp"], ["ww"], floor=7)
    again = from_document(orjson.loads(orjson.dumps(to_document(seat_map))))
    assert again == seat_map
    assert again.seats == seat_map.seats
    assert [seat.accessible for seat in again.seats] == [False] * 2 + [True] + [False] * 3 + [True] * 2
    assert again.seats[4].restricted_view


def test_version_changes_when_a_price_or_the_layout_does() -> None:
    versions = {
        seat_map_of(["ss"]).version,
        seat_map_of(["ss", "s"]).version,
        seat_map_of(["sp"]).version,
        seat_map_of(["ss"], floor=1).version,
        seat_map_of(["ss"], floor=2).version,
    }
    assert len(versions) == 5
    assert seat_map_of(["ss"]).version in versions


def test_money_of_two_currencies_does_not_add_up_when_added() -> None:
    assert won(2) + won(3) == won(5)
    with pytest.raises(ValueError, match="KRW and EUR"):
        won(2) + Money(3, "EUR")
