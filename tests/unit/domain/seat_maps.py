"""Small seat maps for the tests of rules, written as text pictures."""

import json
from typing import Any
from uuid import UUID

from domain.layout import SeatMap
from domain.money import Money
from domain.seating import GeneralAdmission, PriceInput, build_seat_map
from domain.seating_plan import parse_seating_plan

EVENT = UUID("01931b2c-0000-7000-8000-000000000001")
CATEGORIES = {"s": "Stalls", "p": "Premium", "w": "Wheelchair", "r": "Restricted view", "c": "Companion"}


def won(amount: int) -> Money:
    """An amount in Korean won."""
    return Money(amount, "KRW")


def plan_document(*zones: list[str]) -> dict[str, Any]:
    """A plan from pictures: a list a zone, a string a row, a letter a seat, a blank for an aisle."""
    return {
        "name": "A hall",
        "size": {"width": 1000, "height": 800},
        "categories": [{"name": name, "color": "#112233"} for name in CATEGORIES.values()],
        "zones": [_zone(number, rows) for number, rows in enumerate(zones)],
    }


def _zone(number: int, rows: list[str]) -> dict[str, Any]:
    return {
        "name": f"Zone {number}",
        "position": {"x": 0, "y": 200 * number},
        "rows": [_row(number, name, row) for name, row in enumerate(rows)],
    }


def _row(zone: int, name: int, picture: str) -> dict[str, Any]:
    seats = [
        {
            "seat_guid": f"{zone}-{name}-{column}",
            "seat_number": str(column),
            "position": {"x": 20 * column, "y": 0},
            "category": CATEGORIES[letter],
        }
        for column, letter in enumerate(picture)
        if letter != " "
    ]
    return {"row_number": str(name), "position": {"x": 0, "y": 20 * name}, "seats": seats}


def seat_map_of(*zones: list[str], floor: int = 0) -> SeatMap:
    """The seat map of such a plan, with a standing floor of so many places."""
    plan = parse_seating_plan(json.dumps(plan_document(*zones)))
    used = [name for name, seats in plan.seats_by_category().items() if seats]
    prices = [PriceInput(name, won(1000 * place)) for place, name in enumerate(used, 1)]
    standing = [GeneralAdmission("Floor", floor, won(500))] if floor else []
    return build_seat_map(EVENT, plan, prices, standing)


def statuses(seat_map: SeatMap, *, taken: set[int] | None = None, free: set[int] | None = None) -> bytes:
    """A byte a place: all free but `taken`, or all booked but `free`."""
    if free is not None:
        return bytes(ord("A" if place in free else "B") for place in range(seat_map.place_count))
    gone = taken or set()
    return bytes(ord("B" if place in gone else "A") for place in range(seat_map.place_count))
