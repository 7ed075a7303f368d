"""From a plan, prices and general admission to a seat map."""

import json

import pytest

from domain.errors import InvalidInput
from domain.layout import SectionKind
from domain.layout_document import from_document, to_document
from domain.money import Money
from domain.seating import GeneralAdmission, PriceInput, build_seat_map
from domain.seating_plan import Plan, parse_seating_plan
from tests.unit.domain.seat_maps import EVENT, plan_document, won


def plan(*zones: list[str]) -> Plan:
    """A plan with a drawing called Floor in its first zone."""
    document = plan_document(*(zones or (["ss"],)))
    floor = {"position": {"x": 1, "y": 2}, "width": 30, "height": 40, "text": "Floor"}
    document["zones"][0]["areas"] = [floor]
    document["categories"].append({"name": "Floor", "color": "#9d4edd"})
    return parse_seating_plan(json.dumps(document))


STALLS = PriceInput("Stalls", won(100), won(5))
FLOOR = GeneralAdmission("Floor", 50, won(300))


def test_zones_become_sections_when_they_have_seats() -> None:
    seat_map = build_seat_map(EVENT, plan(["ss"], [], ["s"]), [STALLS], [FLOOR])
    sections = [(s.number, s.name, s.first_place, s.capacity) for s in seat_map.sections]
    assert sections == [(0, "Zone 0", 0, 2), (1, "Zone 2", 2, 1), (2, "Floor", 3, 50)]
    assert [s.kind for s in seat_map.sections][-1] is SectionKind.GENERAL_ADMISSION


def test_general_admission_takes_its_area_and_colour_when_the_names_agree() -> None:
    seat_map = build_seat_map(EVENT, plan(), [STALLS], [FLOOR])
    assert seat_map.areas[0].section == 1
    level = seat_map.price_levels[1]
    assert (level.name, level.color, level.price, level.fee) == ("Floor", "#9d4edd", won(300), won(0))
    assert seat_map.sections[1].price_level == 1


def test_category_is_one_level_when_general_admission_of_its_name_is_priced_too() -> None:
    prices = [STALLS, PriceInput("Floor", won(99))]
    seat_map = build_seat_map(EVENT, plan(), prices, [FLOOR])
    assert [(level.name, level.price) for level in seat_map.price_levels] == [
        ("Stalls", won(100)),
        ("Floor", won(300)),
    ]


def test_level_is_kept_when_its_category_has_a_price_and_no_seat() -> None:
    seat_map = build_seat_map(EVENT, plan(), [STALLS, PriceInput("Premium", won(999))])
    assert [level.name for level in seat_map.price_levels] == ["Stalls", "Premium"]
    assert seat_map.price_range == (won(105), won(105)), "fees included"


def test_seats_are_accessible_or_restricted_when_their_category_says_so() -> None:
    prices = [PriceInput("Wheelchair", won(100)), PriceInput("Restricted view", won(200))]
    seats = build_seat_map(EVENT, plan(["wr"]), prices).seats
    assert [(seat.accessible, seat.restricted_view) for seat in seats] == [(True, False), (False, True)]


def test_a_category_without_a_price_is_not_for_sale() -> None:
    seat_map = build_seat_map(EVENT, plan(["spss"], ["pp"], ["ps"]), [STALLS], [FLOOR])
    assert [(seat.index, seat.number) for seat in seat_map.seats] == [(0, "0"), (1, "2"), (2, "3"), (3, "1")]
    assert {seat_map.price_level_of(place).price for place in range(4)} == {won(100)}
    assert [(s.name, s.first_place, s.capacity) for s in seat_map.sections] == [
        ("Zone 0", 0, 3),
        ("Zone 2", 3, 1),
        ("Floor", 4, 50),
    ]
    # The seat that is not sold parts those beside it.
    assert [(run.first, run.last) for run in seat_map.segments] == [(0, 0), (1, 2), (3, 3)]


def test_sections_are_apart_when_zones_share_a_name() -> None:
    document = plan_document(["ss"], ["s"], ["s"])
    for zone in document["zones"]:
        zone["name"] = "Parkett"
    floor = GeneralAdmission("Parkett", 9, won(100))
    seat_map = build_seat_map(EVENT, parse_seating_plan(json.dumps(document)), [STALLS], [floor])
    assert [(s.number, s.name, s.capacity) for s in seat_map.sections] == [
        (0, "Parkett", 2),
        (1, "Parkett", 1),
        (2, "Parkett", 1),
        (3, "Parkett", 9),
    ]


def test_companion_seats_are_neither_wheelchair_places_nor_ordinary() -> None:
    document = plan_document(["ww"])
    document["categories"] += [{"name": "Rollstuhlplatz"}, {"name": "Rollstuhl-Begleitung"}]
    for seat, category in zip(
        document["zones"][0]["rows"][0]["seats"], ("Rollstuhlplatz", "Rollstuhl-Begleitung"), strict=True
    ):
        seat["category"] = category
    prices = [PriceInput("Rollstuhlplatz", won(100)), PriceInput("Rollstuhl-Begleitung", won(100))]
    seat_map = build_seat_map(EVENT, parse_seating_plan(json.dumps(document)), prices)
    assert [(seat.accessible, seat.companion) for seat in seat_map.seats] == [(True, False), (False, True)]
    assert from_document(to_document(seat_map)) == seat_map


def test_boxes_are_drawn_when_there_is_no_plan() -> None:
    seat_map = build_seat_map(EVENT, None, [], [FLOOR, GeneralAdmission("Balcony", 5, won(100))])
    assert [(area.text, area.section) for area in seat_map.areas] == [("Floor", 0), ("Balcony", 1)]
    assert all(0 < area.y + area.height <= seat_map.height for area in seat_map.areas)
    assert seat_map.seat_count == 0


EURO = Money(100, "EUR")
REFUSED: list[tuple[Plan | None, list[PriceInput], list[GeneralAdmission], str]] = [
    (None, [], [], "An event needs a seating plan with seats, or general admission."),
    (plan([]), [], [], "An event needs a seating plan with seats, or general admission."),
    (plan(), [], [], "priceLevels: nothing is for sale: there is no price for 'Stalls'."),
    (plan(["sp"]), [PriceInput("Floor", won(100))], [], "priceLevels: nothing is for sale: there is no"),
    (plan(), [STALLS, PriceInput("Loge", won(100))], [], "priceLevels[1].category: the plan has no cat"),
    (None, [STALLS], [FLOOR], "priceLevels[0].category: without a seating plan"),
    (plan(), [STALLS, STALLS], [], "priceLevels[1].category: 'Stalls' has two prices."),
    (plan(), [PriceInput("Stalls", won(-1))], [], "priceLevels[0].price.amount: must not be negative."),
    (plan(), [PriceInput("Stalls", won(100_000_000))], [], "priceLevels[0].price.amount: 100,000,000 KRW is"),
    (plan(), [PriceInput("Stalls", Money(1, "krw"))], [], "priceLevels[0].price.currency: 'krw' is not"),
    (plan(), [PriceInput("Stalls", won(100), won(-1))], [], "priceLevels[0].fee.amount: must not be"),
    (plan(), [PriceInput("Stalls", won(100), EURO)], [], "priceLevels[0].fee.currency: an event has one"),
    (plan(), [STALLS], [GeneralAdmission("F", 1, EURO)], "generalAdmission[0].price.currency: an event"),
    (None, [], [GeneralAdmission("F", 0, won(100))], "generalAdmission[0].capacity: must be between 1"),
    (None, [], [GeneralAdmission("F", 200_001, won(100))], "generalAdmission[0].capacity: must be"),
    (None, [], [GeneralAdmission(" ", 1, won(100))], "generalAdmission[0].name: must have 1 to 200"),
    (None, [], [GeneralAdmission("a\x00", 1, won(100))], "generalAdmission[0].name: must have 1 to 200"),
    (None, [], [FLOOR, FLOOR], "generalAdmission[1].name: there are two sections called 'Floor'."),
    (None, [], [GeneralAdmission(f"{n}", 200_000, won(100)) for n in (1, 2)], "generalAdmission: an event"),
    (None, [], [GeneralAdmission(f"{n}", 1, won(100)) for n in range(101)], "generalAdmission: at most 100"),
]


@pytest.mark.parametrize(("seat_map_of", "prices", "general", "message"), REFUSED)
def test_first_fault_is_named_when_plan_and_prices_do_not_fit(
    seat_map_of: Plan | None, prices: list[PriceInput], general: list[GeneralAdmission], message: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        build_seat_map(EVENT, seat_map_of, prices, general)
    assert caught.value.message.startswith(message)
