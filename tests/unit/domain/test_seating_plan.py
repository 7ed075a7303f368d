"""Reading plans: what is accepted, and the first fault of what is not."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from domain.errors import InvalidInput
from domain.layout import Area, AreaShape
from domain.seating_plan import MOST_BYTES, MOST_SEATS, parse_seating_plan
from tests.unit.domain.seat_maps import plan_document


def document() -> dict[str, Any]:
    """A plan of one zone with one row of three seats."""
    return plan_document(["sss"])


def seat_of(plan: dict[str, Any], number: int = 0) -> dict[str, Any]:
    """One of its seats."""
    seat: dict[str, Any] = plan["zones"][0]["rows"][0]["seats"][number]
    return seat


def refusal(text: str | bytes) -> str:
    """Why a plan is refused."""
    with pytest.raises(InvalidInput) as caught:
        parse_seating_plan(text)
    return caught.value.message


def test_positions_are_absolute_when_zone_row_and_seat_have_their_own() -> None:
    plan = document()
    plan["zones"][0]["position"] = {"x": 100, "y": 10}
    plan["zones"][0]["rows"][0]["position"] = {"x": 5.5, "y": 1}
    seat = parse_seating_plan(json.dumps(plan)).zones[0].rows[0].seats[1]
    assert (seat.x, seat.y) == (125.5, 11)


def test_row_starts_at_its_zone_when_it_has_no_position() -> None:
    plan = document()
    del plan["zones"][0]["rows"][0]["position"]
    plan["zones"][0]["position"] = {"x": 7, "y": 9}
    seat = parse_seating_plan(json.dumps(plan)).zones[0].rows[0].seats[0]
    assert (seat.x, seat.y) == (7, 9)


def test_size_covers_the_seats_when_the_plan_does_not_say_it() -> None:
    plan = document()
    del plan["size"]
    read = parse_seating_plan(json.dumps(plan))
    assert (read.width, read.height) == (60, 20)


def test_fields_are_ignored_when_the_format_does_not_name_them() -> None:
    plan = document() | {"made_with": "something new"}
    seat_of(plan)["radius"] = 12
    assert parse_seating_plan(json.dumps(plan)).seat_count == 3


def test_a_label_that_grows_too_long_with_its_number_is_refused() -> None:
    plan = document()
    plan["zones"][0]["rows"][0] |= {"row_label": "%s" * 100, "row_number": "123"}
    assert refusal(json.dumps(plan)) == (
        "zones[0].rows[0].row_label: is longer than 200 characters with its label."
    )


def test_every_seat_is_read_when_guids_repeat_as_in_plans_in_use() -> None:
    plan = document()
    for number in range(3):
        seat_of(plan, number)["seat_guid"] = "row-1"
    read = parse_seating_plan(json.dumps(plan))
    assert [seat.number for seat in read.zones[0].rows[0].seats] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Table %s", "Table 1"),
        ("Loge", "Loge"),
        ("%s / %s", "1 / 1"),
        ("100 %", "100 %"),
        ("%d%s", "%d1"),
        ("", "1"),
        (None, "1"),
    ],
)
def test_labels_are_templates_for_the_number(label: str | None, expected: str) -> None:
    plan = document()
    plan["zones"][0]["rows"][0] |= {"row_number": "1", "row_label": label, "seat_label": label}
    seat_of(plan, 2)["seat_number"] = "1"
    row = parse_seating_plan(json.dumps(plan)).zones[0].rows[0]
    assert (row.name, row.seats[2].number) == (expected, expected)


def test_the_focal_point_is_absolute_and_none_where_the_plan_has_none() -> None:
    plan = document()
    assert parse_seating_plan(json.dumps(plan)).focus is None
    plan["zones"][0]["position"] = {"x": 500, "y": 500}
    plan["focal_point"] = {"x": 12.5, "y": -3}
    assert parse_seating_plan(json.dumps(plan)).focus == (12.5, -3)


@pytest.mark.parametrize("order", [[4, 2, 0, 1, 3, 5], [5, 0, 4, 1, 3, 2], [1, 0, 3, 2, 5, 4]])
def test_seats_stand_side_by_side_when_the_file_mixes_a_row(order: list[int]) -> None:
    plan = plan_document(["ssssss"])
    row = plan["zones"][0]["rows"][0]
    row["seats"] = [row["seats"][number] for number in order]
    seats = parse_seating_plan(json.dumps(plan)).zones[0].rows[0].seats
    numbers = [seat.number for seat in seats]
    assert numbers in (["0", "1", "2", "3", "4", "5"], ["5", "4", "3", "2", "1", "0"])


def test_seats_are_counted_by_category_when_some_have_none() -> None:
    counts = parse_seating_plan(json.dumps(plan_document(["ssp"]))).seats_by_category()
    assert counts == {"Stalls": 2, "Premium": 1, "Wheelchair": 0, "Restricted view": 0, "Companion": 0}


AT = {"position": {"x": 10, "y": 20}}
AREAS: list[tuple[dict[str, Any], Area]] = [
    (
        {"width": 30, "height": 40, "text": "Stage", "color": "#444444"},
        Area(AreaShape.RECTANGLE, 10, 20, 30, 40, color="#444444", text="Stage"),
    ),
    (
        {"shape": "rectangle", "rectangle": {"width": 3, "height": 4}, "rotation": 45},
        Area(AreaShape.RECTANGLE, 10, 20, 3, 4, rotation=45),
    ),
    ({"shape": "circle", "circle": {"radius": 5}}, Area(AreaShape.CIRCLE, 10, 20, 10, 10)),
    (
        {"shape": "ellipse", "ellipse": {"radius": {"x": 5, "y": 2}}, "border_color": "rgb(1, 2, 3)"},
        Area(AreaShape.ELLIPSE, 10, 20, 10, 4, border_color="rgb(1, 2, 3)"),
    ),
    (
        {"shape": "polygon", "polygon": {"points": [{"x": 0, "y": 0}, {"x": 9, "y": 1}]}},
        Area(AreaShape.POLYGON, 10, 20, points=((0, 0), (9, 1))),
    ),
    (
        {"shape": "text", "text": {"text": "Bar", "color": "black", "position": {"x": 0, "y": 0}}},
        Area(AreaShape.TEXT, 10, 20, text="Bar", text_color="black"),
    ),
]


@pytest.mark.parametrize(("fields", "expected"), AREAS)
def test_area_is_read_when_it_is_of_either_form(fields: dict[str, Any], expected: Area) -> None:
    plan = document()
    plan["zones"][0]["areas"] = [fields | AT]
    assert parse_seating_plan(json.dumps(plan)).zones[0].areas == (expected,)


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """An edit that sets one field of a plan; `...` as the value removes it."""

    def edit(plan: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        target: Any = plan
        for name in parents:
            target = target[int(name)] if name.isdigit() else target[name]
        if value is ...:
            del target[last]
        else:
            target[last] = value

    return edit


SEAT = "zones.0.rows.0.seats.2"
SEAT_PATH = "zones[0].rows[0].seats[2]"
FAULTS: list[tuple[str, Any, str]] = [
    ("name", ..., "name: is missing"),
    ("name", 7, "name: must be a string."),
    ("name", "n" * 201, "name: is longer than 200 characters."),
    ("name", "a\x00b", "name: has a control character."),
    ("categories", ..., "categories: is missing"),
    ("categories", {}, "categories: must be a list."),
    ("categories", ["Stalls"], "categories[0]: a category must be an object."),
    ("categories", [{"name": "a"}] * 2, "categories[1].name: there are two categories called 'a'."),
    ("categories", [{"name": " "}], "categories[0].name: must not be empty."),
    ("categories", [{"name": "a", "color": "red;x"}], "categories[0].color: 'red;x' is not a colour"),
    ("categories", [{"name": "a", "color": "#12"}], "categories[0].color: '#12' is not a colour"),
    ("size", {"width": 0, "height": 1}, "size.width: must be at least 1."),
    ("size", {"width": 10}, "size.height: is missing"),
    ("size", [1, 2], "size: it must be an object."),
    ("zones", ..., "zones: is missing"),
    ("zones", [[]], "zones[0]: a zone must be an object."),
    ("zones.0.position", ..., "zones[0].position: is missing."),
    ("zones.0.position", {"x": 1}, "zones[0].position.y: is missing"),
    ("zones.0.position", {"x": True, "y": 1}, "zones[0].position.x: must be a number."),
    ("zones.0.position", {"x": "1", "y": 1}, "zones[0].position.x: must be a number."),
    ("zones.0.position", {"x": 1e9, "y": 1}, "zones[0].position.x: must be within 1,000,000"),
    ("zones.0.rows", ..., "zones[0].rows: is missing"),
    ("zones.0.rows.0.row_number", ..., "zones[0].rows[0].row_number: is missing"),
    ("zones.0.rows.0.row_number", 1, "zones[0].rows[0].row_number: must be a string."),
    ("zones.0.rows.0.seats", None, "zones[0].rows[0].seats: must be a list."),
    ("zones.0.rows.0.seats", [1], "zones[0].rows[0].seats[0]: a seat must be an object."),
    (f"{SEAT}.seat_guid", ..., f"{SEAT_PATH}.seat_guid: is missing"),
    (f"{SEAT}.seat_guid", "", f"{SEAT_PATH}.seat_guid: must not be empty."),
    ("zones.0.rows.0.row_label", "%s" * 201, "zones[0].rows[0].row_label: is longer than 200 characters."),
    ("zones.0.rows.0.seat_label", 5, "zones[0].rows[0].seat_label: must be a string."),
    (f"{SEAT}.seat_number", "n" * 201, f"{SEAT_PATH}.seat_number: is longer than 200 characters."),
    ("focal_point", {"x": 1}, "focal_point.y: is missing"),
    ("focal_point", [1, 2], "focal_point: it must be an object."),
    (f"{SEAT}.seat_number", 3, f"{SEAT_PATH}.seat_number: must be a string."),
    (f"{SEAT}.position", None, f"{SEAT_PATH}.position: it must be an object."),
    (f"{SEAT}.category", ..., f"{SEAT_PATH}.category: is missing"),
    (f"{SEAT}.category", "Loge", f"{SEAT_PATH}.category: there is no category called 'Loge'."),
    ("zones.0.areas", [{"shape": "star"}], "zones[0].areas[0].shape: must be one of rectangle"),
    ("zones.0.areas", [{"shape": "circle"}], "zones[0].areas[0].circle: is missing."),
    ("zones.0.areas", [{"width": -1, "height": 1}], "zones[0].areas[0].width: must not be negative."),
    ("zones.0.areas", [{"text": 5}], "zones[0].areas[0].text: it must be an object."),
]


@pytest.mark.parametrize(("path", "value", "message"), FAULTS)
def test_first_fault_is_named_when_a_plan_breaks_the_format(path: str, value: Any, message: str) -> None:
    plan = document()
    change(path, value)(plan)
    assert refusal(json.dumps(plan)).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The plan is not JSON"),
        ("{", "The plan is not JSON"),
        ("[]", "The plan must be an object."),
        ("null", "The plan must be an object."),
        ("[" * 100_000, "The plan is not JSON: depth limit exceeded"),
        ('{"name": NaN}', "The plan is not JSON"),
        ('{"name": "\ud800"}', "The plan is not JSON"),
        (b"\xff\xfe", "The plan is not JSON"),
        (" " * (MOST_BYTES + 1), "The plan is larger than 40 MB."),
    ],
)
def test_text_is_refused_when_it_is_no_plan_at_all(text: str | bytes, message: str) -> None:
    assert refusal(text).startswith(message)


def plan_of(seats: int) -> str:
    """An indented plan of so many seats with ids, in two rows."""
    sizes = (seats // 2, seats - seats // 2)
    rows = [
        {
            "row_number": str(row),
            "seats": [
                {
                    "seat_guid": f"3f2c1f0e-7a55-4d7e-9f6b-{row}{n:011}",
                    "seat_number": str(n),
                    "position": {"x": n % 1_000 * 20.5, "y": n // 1_000},
                    "category": "c",
                }
                for n in range(size)
            ],
        }
        for row, size in enumerate(sizes)
    ]
    zone = {"position": {"x": 0, "y": 0}, "rows": rows}
    return json.dumps({"name": "", "categories": [{"name": "c"}], "zones": [zone]}, indent=2)


def test_plan_is_read_when_it_has_as_many_seats_as_a_plan_may_have() -> None:
    plan = parse_seating_plan(plan_of(MOST_SEATS))

    assert sum(len(row.seats) for zone in plan.zones for row in zone.rows) == MOST_SEATS


def test_plan_is_refused_when_it_has_too_many_seats() -> None:
    assert refusal(plan_of(MOST_SEATS + 2)).startswith("The plan has more than 100000 seats")
