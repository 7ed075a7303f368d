"""Pretix's open seating plan format (seats.pretix.eu), read strictly.

The format is that of pretix's `seating-plan.schema.json`, both as its editor writes it today (areas with a
shape) and in its first form (areas with a width and a height). Unknown fields are ignored, because the
format grows. Guids of seats may repeat, as they do in plans in use: nothing here goes by them. One field is
an addition to the format: `focal_point`, where the audience looks.
"""

from dataclasses import dataclass

import orjson

from domain.errors import InvalidInput
from domain.layout import Area, AreaShape
from domain.plan_fields import Fields
from domain.row_order import side_by_side

MOST_BYTES = 40_000_000
"""Room for MOST_SEATS with their ids, indented by an editor: 26 MB"""
MOST_SEATS = 100_000
MOST_ZONES, MOST_ROWS, MOST_AREAS, MOST_CATEGORIES = 2_000, 20_000, 5_000, 500


@dataclass(frozen=True, slots=True)
class Category:
    """A category of seats, which gets a price."""

    name: str
    color: str | None


@dataclass(frozen=True, slots=True)
class PlanSeat:
    """A seat with its absolute position."""

    guid: str
    number: str
    x: float
    y: float
    category: str


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A row of seats, side by side."""

    name: str
    seats: tuple[PlanSeat, ...]


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of the venue; it becomes a section when it has seats."""

    name: str
    rows: tuple[PlanRow, ...]
    areas: tuple[Area, ...]

    @property
    def seat_count(self) -> int:
        """The number of numbered seats of the zone."""
        return sum(len(row.seats) for row in self.rows)


@dataclass(frozen=True, slots=True)
class Plan:
    """A venue's plan: categories, zones, seats, areas, and where the audience looks, if the plan says it."""

    name: str
    width: int
    height: int
    categories: tuple[Category, ...]
    zones: tuple[Zone, ...]
    focus: tuple[float, float] | None = None

    @property
    def seat_count(self) -> int:
        """The number of numbered seats of the plan."""
        return sum(zone.seat_count for zone in self.zones)

    def seats_by_category(self) -> dict[str, int]:
        """The number of seats of each category, in the order of the plan; 0 where none uses it."""
        counts = {category.name: 0 for category in self.categories}
        for zone in self.zones:
            for row in zone.rows:
                for seat in row.seats:
                    counts[seat.category] += 1
        return counts


def parse_seating_plan(text: str | bytes) -> Plan:
    """Parse a plan's JSON text.

    Raises:
        InvalidInput: with the path of the first fault, e.g. "zones[0].rows[3].seats[2].category".
    """
    root = Fields(_read_json(text), "", "The plan")
    return _Reader().plan(root)


def _read_json(text: str | bytes) -> object:
    encoded = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(encoded) > MOST_BYTES:
        raise InvalidInput(f"The plan is larger than {MOST_BYTES // 1_000_000} MB.")
    try:
        # Unlike json, orjson refuses NaN, Infinity and a nesting beyond 1,024 levels.
        return orjson.loads(encoded)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"The plan is not JSON: {error.msg} (line {error.lineno}).") from None


class _Reader:
    """Reader of one plan; it tracks the names that must be unique and the counts that have a bound."""

    def __init__(self) -> None:
        self.categories: set[str] = set()
        self.rows = 0
        self.seats = 0

    def plan(self, root: Fields) -> Plan:
        name = root.text("name")
        entries = root.entries("categories", "A category", MOST_CATEGORIES)
        categories = tuple(self.category(entry) for entry in entries)
        zones = tuple(self.zone(zone) for zone in root.entries("zones", "A zone", MOST_ZONES))
        size = root.optional("size")
        extent = (size.length("width"), size.length("height")) if size else _extent(zones)
        focus = root.optional("focal_point")
        return Plan(name, *extent, categories, zones, focus.point() if focus else None)

    def category(self, fields: Fields) -> Category:
        name = fields.text("name", required=True)
        if name in self.categories:
            raise fields.fault("name", f"there are two categories called {name!r}")
        self.categories.add(name)
        return Category(name, fields.color("color"))

    def zone(self, fields: Fields) -> Zone:
        position = fields.position("position")
        name = fields.text("name", optional=True) or fields.text("zone_id", optional=True)
        rows = fields.entries("rows", "A row", MOST_ROWS)
        areas = fields.entries("areas", "An area", MOST_AREAS, optional=True)
        self.rows += len(rows)
        if self.rows > MOST_ROWS:
            raise fields.fault("rows", f"a plan has at most {MOST_ROWS} rows")
        return Zone(
            name=name or f"Zone {fields.number + 1}",
            rows=tuple(self.row(row, position) for row in rows),
            areas=tuple(self.area(area, position) for area in areas),
        )

    def row(self, fields: Fields, origin: tuple[float, float]) -> PlanRow:
        shift = fields.position("position", optional=True)
        origin = (origin[0] + shift[0], origin[1] + shift[1])
        name = fields.from_template(
            fields.text("row_label", optional=True), fields.text("row_number"), "row_label"
        )
        template = fields.text("seat_label", optional=True)
        entries = fields.entries("seats", "A seat", MOST_SEATS)
        self.seats += len(entries)
        if self.seats > MOST_SEATS:
            raise InvalidInput(f"The plan has more than {MOST_SEATS} seats.")
        seats = [self.seat(seat, origin, template) for seat in entries]
        order = side_by_side([(seat.x, seat.y) for seat in seats])
        return PlanRow(name, tuple(seats[number] for number in order))

    def seat(self, fields: Fields, origin: tuple[float, float], template: str) -> PlanSeat:
        guid = fields.text("seat_guid", required=True)
        number = fields.from_template(template, fields.text("seat_number"), "seat_number")
        x, y = fields.position("position", origin)
        category = fields.text("category")
        if category not in self.categories:
            raise fields.fault("category", f"there is no category called {category!r}")
        return PlanSeat(guid, number, x, y, category)

    def area(self, fields: Fields, origin: tuple[float, float]) -> Area:
        x, y = fields.position("position", origin, optional=True)
        shape = _shape(fields)
        text, text_color = _area_text(fields)
        width, height, points = _outline(fields, shape)
        return Area(
            shape=shape,
            x=x,
            y=y,
            width=width,
            height=height,
            points=points,
            rotation=fields.amount("rotation", 0.0),
            color=fields.color("color"),
            border_color=fields.color("border_color"),
            text=text,
            text_color=text_color,
        )


def _shape(fields: Fields) -> AreaShape:
    name = fields.text("shape", optional=True) or AreaShape.RECTANGLE.value
    if name not in tuple(AreaShape):
        raise fields.fault("shape", f"must be one of {', '.join(AreaShape)}, not {name!r}")
    return AreaShape(name)


def _area_text(fields: Fields) -> tuple[str, str | None]:
    """The text of an area: an object in today's format, a string in the first form."""
    if isinstance(fields.values.get("text"), str):
        return fields.text("text"), None
    text = fields.optional("text")
    return (text.text("text"), text.color("color")) if text else ("", None)


_Outline = tuple[float, float, tuple[tuple[float, float], ...]]


def _outline(fields: Fields, shape: AreaShape) -> _Outline:
    """Width, height and corners of an area."""
    match shape:
        case AreaShape.CIRCLE:
            diameter = 2 * fields.required("circle").extent("radius")
            return diameter, diameter, ()
        case AreaShape.ELLIPSE:
            radius = fields.required("ellipse").required("radius")
            return 2 * radius.extent("x"), 2 * radius.extent("y"), ()
        case AreaShape.POLYGON:
            corners = fields.required("polygon").entries("points", "A point", 10_000)
            return 0.0, 0.0, tuple(corner.point() for corner in corners)
        case AreaShape.RECTANGLE:
            box = fields.optional("rectangle") or fields
            return box.extent("width"), box.extent("height"), ()
        case AreaShape.TEXT:
            return 0.0, 0.0, ()


def _extent(zones: tuple[Zone, ...]) -> tuple[int, int]:
    """The size of a plan that names none: it holds the outermost seat and area."""
    points = [(seat.x, seat.y) for zone in zones for row in zone.rows for seat in row.seats]
    points += [(a.x + a.width, a.y + a.height) for zone in zones for a in zone.areas]
    margin = 20
    width = max((x for x, _ in points), default=0) + margin
    height = max((y for _, y in points), default=0) + margin
    return max(1, round(width)), max(1, round(height))
