"""Two generated seating plans in pretix's format: an arena of 17,760 seats and a theatre."""

from collections.abc import Iterator
from math import cos, floor, pi, radians, sin
from typing import Any

Document = dict[str, Any]

STANDING = "Floor standing"

_SEAT = 22.0  # plan units from seat to seat, and from row to row in the arena
_CENTRE = (2600, 2200)
_AISLE_SEATS = 2.4  # the width of the aisle between two blocks, in seats
_WHEELCHAIR_SEATS = 4


def arena() -> Document:
    """A bowl of 24 lower and 32 upper blocks around a standing floor with its stage."""
    lower = [_block(101 + n, n, 24, rows=20, seats=16, gap=0, tier="Lower") for n in range(24)]
    upper = [_block(201 + n, n, 32, rows=21, seats=15, gap=560, tier="Upper") for n in range(32)]
    return {
        "name": "Arena",
        "size": {"width": 2 * _CENTRE[0], "height": 2 * _CENTRE[1]},
        "categories": [
            {"name": "Lower A", "color": "#d00000"},
            {"name": "Lower B", "color": "#e85d04"},
            {"name": "Upper A", "color": "#3f88c5"},
            {"name": "Upper B", "color": "#90be6d"},
            {"name": "Wheelchair", "color": "#2a9d8f"},
            {"name": STANDING, "color": "#9d4edd"},
        ],
        "zones": [_arena_floor(), *lower, *upper],
    }


def _arena_floor() -> Document:
    x, y = _CENTRE
    floor_area = _rectangle(STANDING, "#9d4edd", x - 700, y - 520, 1800, 1040)
    stage = _rectangle("Stage", "#444444", x - 1150, y - 420, 400, 840)
    return {"name": "Floor", "position": {"x": 0, "y": 0}, "rows": [], "areas": [stage, floor_area]}


def _block(name: int, number: int, blocks: int, *, rows: int, seats: int, gap: float, tier: str) -> Document:
    """One block of a tier; the first lies across from the stage, the others follow clockwise."""
    width = 2 * pi / blocks
    step = width / (seats + _AISLE_SEATS)
    first = (number - 0.5) * width + step * (_AISLE_SEATS + 1) / 2
    return {
        "name": f"Block {name}",
        "position": {"x": _CENTRE[0], "y": _CENTRE[1]},
        "rows": [
            {
                "row_number": str(row + 1),
                "seats": [
                    _seat(
                        f"{name}-{row + 1}-{seat + 1}",
                        seat + 1,
                        _on_bowl(first + seat * step, gap + row * _SEAT),
                        _arena_category(tier, number, row, rows, seat),
                    )
                    for seat in range(seats)
                ],
            }
            for row in range(rows)
        ],
        "areas": [],
    }


def _on_bowl(angle: float, outwards: float) -> tuple[float, float]:
    return (1500 + outwards) * cos(angle), (1120 + outwards) * sin(angle)


def _arena_category(tier: str, block: int, row: int, rows: int, seat: int) -> str:
    if tier == "Lower" and block % 4 == 0 and row == rows - 1 and seat < _WHEELCHAIR_SEATS:
        return "Wheelchair"
    return f"{tier} {'A' if row < rows // 2 else 'B'}"


def theatre() -> Document:
    """Stalls, circle and balcony in arcs before the stage, with an aisle down the middle."""
    stage = _rectangle("Stage", "#444444", -300, -30, 600, 150)
    stalls = _tier("Stalls", "ABCDEFGHJKLMNPQRSTUV", nearest=330)
    circle = _tier("Circle", "ABCDEFG", nearest=330 + 20 * 34 + 80)
    balcony = _tier("Balcony", "ABCD", nearest=330 + 27 * 34 + 160)
    return {
        "name": "Theatre",
        "size": {"width": 2000, "height": 1650},
        "categories": [
            {"name": "Premium", "color": "#b5179e"},
            {"name": "Stalls", "color": "#4361ee"},
            {"name": "Circle", "color": "#4cc9f0"},
            {"name": "Balcony", "color": "#f4a261"},
            {"name": "Wheelchair", "color": "#2a9d8f"},
            {"name": "Restricted view", "color": "#adb5bd"},
        ],
        "zones": [stalls | {"areas": [stage]}, circle, balcony],
    }


def _tier(name: str, letters: str, nearest: float) -> Document:
    rows = [_arc(name, letter, nearest + 34 * number) for number, letter in enumerate(letters)]
    return {"name": name, "position": {"x": 1000, "y": 60}, "rows": rows, "areas": []}


def _arc(tier: str, letter: str, radius: float) -> Document:
    half = floor(radius * radians(38) / _SEAT) - 1
    angles = sorted([*_angles(half, radius, -1), *_angles(half, radius, 1)])
    return {
        "row_number": letter,
        "seats": [
            _seat(
                f"{tier}-{letter}-{number}",
                number,
                (radius * sin(angle), radius * cos(angle)),
                _theatre_category(tier, letter, number, 2 * half),
            )
            for number, angle in enumerate(angles, 1)
        ],
    }


def _angles(count: int, radius: float, side: int) -> Iterator[float]:
    """From the aisle outwards."""
    return (side * (28 + seat * _SEAT) / radius for seat in range(count))


def _theatre_category(tier: str, letter: str, number: int, count: int) -> str:
    from_edge = min(number, count + 1 - number)
    if tier == "Stalls" and letter == "V" and from_edge <= 3:
        return "Wheelchair"
    if tier != "Stalls" and from_edge <= 2:
        return "Restricted view"
    if tier == "Stalls" and letter in "EFGHJK" and from_edge > count // 2 - 7:
        return "Premium"
    return tier


def _seat(guid: str, number: int, at: tuple[float, float], category: str) -> Document:
    # Whole units: a tenth would be invisible, and a third of what a browser has to fetch.
    position = {"x": round(at[0]), "y": round(at[1])}
    return {"seat_guid": guid, "seat_number": str(number), "position": position, "category": category}


def _rectangle(text: str, color: str, x: float, y: float, width: float, height: float) -> Document:
    return {
        "shape": "rectangle",
        "position": {"x": x, "y": y},
        "rectangle": {"width": width, "height": height},
        "color": color,
        "text": {"text": text, "color": "#ffffff", "position": {"x": width / 2, "y": height / 2}},
    }
