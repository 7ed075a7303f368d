"""The layout by rows: the same facts as SeatMap.url in a tenth of the bytes (docs/clients.md has a decoder).

Coordinates are whole numbers of 1/scale units, each the difference from the seat before it in the row;
seats are numbered in the document's order, so that neither an index nor an id is written for each.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, pairwise
from typing import Any

from domain.ids import Part, part_id
from domain.layout import Row, Seat, SeatMap, Section

# Plans have whole coordinates or a few decimals; finer ones are rounded to a thousandth of a unit.
SCALES = (1, 10, 100, 1000)


def rows_document(
    seat_map: SeatMap, level: Callable[[Any], Any], area: Callable[[Any], Any]
) -> dict[str, Any]:
    """A seat map by rows; `level` and `area` write a price level and an area as SeatMap.url has them."""
    scale = scale_of(seat_map.seats)
    return {
        "id": f"map_{seat_map.version}",
        "version": seat_map.version,
        "width": seat_map.width,
        "height": seat_map.height,
        "seatCount": seat_map.seat_count,
        "seatIdPrefix": part_id(Part.SEAT, seat_map.event_id, 0).removesuffix("0"),
        "scale": scale,
        "priceLevels": [level(each) for each in seat_map.price_levels],
        "sections": [_section(seat_map, section, scale) for section in seat_map.sections],
        "areas": [area(each) for each in seat_map.areas],
    }


def scale_of(seats: Sequence[Seat]) -> int:
    """Return the coarsest scale at which every coordinate is whole, the finest where none is."""
    values = {value for seat in seats for value in (seat.x, seat.y) if not value.is_integer()}
    return next((scale for scale in SCALES if all(_is_whole(value * scale) for value in values)), SCALES[-1])


def _is_whole(value: float) -> bool:
    return abs(value - round(value)) < 1e-6


def _section(seat_map: SeatMap, section: Section, scale: int) -> dict[str, Any]:
    return {
        "id": part_id(Part.SECTION, seat_map.event_id, section.number),
        "name": section.name,
        "kind": section.kind.value,
        "capacity": section.capacity,
        "priceLevel": section.price_level,
        "rows": [_row(row, scale) for row in section.rows if row.seats],
    }


def _row(row: Row, scale: int) -> dict[str, Any]:
    """Return one row; a property that no seat has is left out."""
    written = {
        "row": row.name,
        "numbers": _numbers([seat.number for seat in row.seats]),
        "x": _steps(round(seat.x * scale) for seat in row.seats),
        "y": _steps(round(seat.y * scale) for seat in row.seats),
        "levels": _runs(seat.price_level for seat in row.seats),
    }
    marks = {
        "accessible": [at for at, seat in enumerate(row.seats) if seat.accessible],
        "restrictedView": [at for at, seat in enumerate(row.seats) if seat.restricted_view],
    }
    return written | {name: seats for name, seats in marks.items() if seats}


def _numbers(numbers: list[str]) -> dict[str, int] | list[str]:
    """Return evenly spaced seat numbers as {from, step, count}, and others one by one."""
    if not all(number.isascii() and number.isdigit() and str(int(number)) == number for number in numbers):
        return numbers
    values = [int(number) for number in numbers]
    steps = {after - before for before, after in pairwise(values)} or {1}
    if len(steps) > 1:
        return numbers
    return {"from": values[0], "step": steps.pop(), "count": len(values)}


def _steps(values: Iterable[int]) -> list[int]:
    """Return the first value, then each difference from the previous one."""
    steps, last = [], 0
    for value in values:
        steps.append(value - last)
        last = value
    return steps


def _runs(values: Iterable[int]) -> list[list[int]]:
    """Return runs of equal neighbours as [value, count]."""
    return [[value, sum(1 for _ in run)] for value, run in groupby(values)]
