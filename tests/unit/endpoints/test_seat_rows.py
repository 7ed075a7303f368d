"""The layout by rows says what the layout seat by seat says; the decoder here is docs/clients.md's."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import pytest

from domain.layout import SeatMap
from domain.money import Money
from domain.seating import GeneralAdmission, PriceInput, build_seat_map
from domain.seating_plan import parse_seating_plan
from endpoints.documents import compressed
from endpoints.seat_rows import scale_of
from endpoints.seatmaps import by_rows, document_of
from services.catalogue.demo.seating_plans import STANDING, arena, theatre

EVENT = UUID("018f3a52-0000-7000-8000-000000000001")
PRICE = Money(5000, "USD")


def seat_map_of(plan: dict[str, Any]) -> SeatMap:
    names = [category["name"] for category in plan["categories"] if category["name"] != STANDING]
    standing = [GeneralAdmission(STANDING, 500, PRICE)] if len(names) < len(plan["categories"]) else []
    prices = [PriceInput(name, PRICE) for name in names]
    return build_seat_map(EVENT, parse_seating_plan(json.dumps(plan)), prices, standing)


def decoded(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every seat as SeatMap.url has it."""
    index = 0
    for section in document["sections"]:
        for row in section["rows"]:
            x = y = 0
            levels = [level for level, count in row["levels"] for _ in range(count)]
            for at, level in enumerate(levels):
                x, y = x + row["x"][at], y + row["y"][at]
                numbers = row["numbers"]
                yield {
                    "id": f"{document['seatIdPrefix']}{index}",
                    "index": index,
                    "row": row["row"],
                    "number": numbers[at]
                    if isinstance(numbers, list)
                    else str(numbers["from"] + at * numbers["step"]),
                    "x": x / document["scale"],
                    "y": y / document["scale"],
                    "priceLevelId": document["priceLevels"][level]["id"],
                    "accessible": at in row.get("accessible", []),
                    "restrictedView": at in row.get("restrictedView", []),
                }
                index += 1


def seats_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [seat for section in document["sections"] for seat in section["seats"]]


@pytest.mark.parametrize("plan", [arena(), theatre()], ids=["arena", "theatre"])
def test_rows_say_the_same_when_they_are_decoded(plan: dict[str, Any]) -> None:
    seat_map = seat_map_of(plan)
    rows, seats = orjson.loads(orjson.dumps(by_rows(seat_map))), document_of(seat_map)
    assert list(decoded(rows)) == seats_of(seats)
    assert rows["priceLevels"] == seats["priceLevels"]
    assert len(rows["areas"]) == len(seats["areas"])


def test_arena_is_below_thirty_kilobytes_when_it_is_sent_with_gzip() -> None:
    seat_map = seat_map_of(arena())
    assert seat_map.seat_count == 17_760
    assert len(compressed(by_rows(seat_map), seat_map.event_id).gzip) < 30_000


def test_numbers_are_written_out_when_they_do_not_count_evenly() -> None:
    plan = theatre()
    row = plan["zones"][0]["rows"][0]
    for at, seat in enumerate(row["seats"]):
        seat["seat_number"] = f"{at}b" if at % 2 else f"0{at}"
    seat_map = seat_map_of(plan)
    assert list(decoded(by_rows(seat_map))) == seats_of(document_of(seat_map))
    assert by_rows(seat_map)["sections"][0]["rows"][0]["numbers"][:3] == ["00", "1b", "02"]


@pytest.mark.parametrize(("x", "scale"), [(3.0, 1), (3.5, 10), (3.25, 100), (3.125, 1000), (1 / 3, 1000)])
def test_scale_makes_coordinates_whole_when_they_have_decimals(x: float, scale: int) -> None:
    seat = replace(seat_map_of(theatre()).seats[0], x=x, y=2.0)
    assert scale_of([seat]) == scale
