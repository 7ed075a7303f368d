"""Seats as people type them, and what is no seat."""

import json
from typing import Any

import pytest

from domain.layout import SeatMap
from domain.references import reference_beginning
from domain.seat_names import places_named
from domain.seating import PriceInput, build_seat_map
from domain.seating_plan import parse_seating_plan
from tests.unit.domain.seat_maps import EVENT, won

Zone = tuple[str, dict[str, list[str]]]


def house(*zones: Zone) -> SeatMap:
    """A seat map of zones, each with its rows and their seats' numbers."""
    document = {
        "name": "A house",
        "size": {"width": 1000, "height": 800},
        "categories": [{"name": "Seats", "color": "#112233"}],
        "zones": [
            {
                "name": name,
                "position": {"x": 0, "y": 100 * height},
                "rows": [row(name, number, seats) for number, seats in rows.items()],
            }
            for height, (name, rows) in enumerate(zones)
        ],
    }
    plan = parse_seating_plan(json.dumps(document))
    return build_seat_map(EVENT, plan, [PriceInput("Seats", won(1000))], [])


def row(zone: str, number: str, seats: list[str]) -> dict[str, Any]:
    return {
        "row_number": number,
        "position": {"x": 0, "y": 0},
        "seats": [
            {
                "seat_guid": f"{zone}-{number}-{seat}",
                "seat_number": seat,
                "position": {"x": 20 * column, "y": 0},
                "category": "Seats",
            }
            for column, seat in enumerate(seats)
        ],
    }


@pytest.fixture
def seat_map() -> SeatMap:
    return house(
        ("Stalls", {"1": ["1", "2", "12"], "3": ["2", "12"], "A": ["12", "012A"]}),
        ("Balcony", {"Row 3": ["12"], "Table 1": ["1", "2"], "가열": ["12"]}),
        ("Boxes", {"": ["7"]}),
    )


NAMED = {
    "Row 3 Seat 12": ["Stalls 3 12", "Balcony Row 3 12"],
    "row 3, seat 12": ["Stalls 3 12", "Balcony Row 3 12"],
    "3-12": ["Stalls 3 12", "Balcony Row 3 12"],
    "3/12": ["Stalls 3 12", "Balcony Row 3 12"],
    "03-12": ["Stalls 3 12", "Balcony Row 3 12"],
    "Reihe 3 Platz 12": ["Stalls 3 12", "Balcony Row 3 12"],
    "3열 12번": ["Stalls 3 12", "Balcony Row 3 12"],
    "stalls 3-12": ["Stalls 3 12"],
    "Balcony, Row 3, Seat 12": ["Balcony Row 3 12"],
    "a12": ["Stalls A 12"],
    "A 12": ["Stalls A 12"],
    "A-12a": ["Stalls A 012A"],
    "Table 1 Seat 2": ["Balcony Table 1 2"],
    "가열 12번": ["Balcony 가열 12"],
    "Boxes 7": ["Boxes  7"],
    "3-13": [],
    "12": [],
    "3": [],
    "Ada Lovelace": [],
    "Kim 3": [],
    "---": [],
    "": [],
}


@pytest.mark.parametrize("text", NAMED)
def test_seats_are_found_when_they_are_typed_in_any_of_these_forms(text: str, seat_map: SeatMap) -> None:
    names = {
        seat.index: f"{section.name} {row.name} {seat.number}"
        for section in seat_map.sections
        for row in section.rows
        for seat in row.seats
    }

    assert [names[place] for place in places_named(seat_map, text)] == NAMED[text]


REFERENCES = {
    "K7QX-2M9RTA": "K7QX-2M9RTA",
    "k7qx2m9rta": "K7QX-2M9RTA",
    " k7qx 2m ": "K7QX-2M",
    "K7QX": "K7QX-",
    "K7Q": None,
    "kim lee": None,
    "K7QX-2M9RTA5": None,
    "%%%%": None,
    "": None,
}


@pytest.mark.parametrize("text", REFERENCES)
def test_reference_is_read_when_its_beginning_is_typed(text: str) -> None:
    assert reference_beginning(text) == REFERENCES[text]
