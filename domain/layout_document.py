"""A seat map as one compact JSON document, for the database and for SeatMap.url.

Seats are written in columns, one list for each row, because 17,760 objects would be ten times the size. A
column with one value throughout is written as that value. The seats of a section have consecutive places
from its firstPlace, in their order in the document.
"""

from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson

from domain.layout import Area, AreaShape, PriceLevel, Row, Seat, SeatMap, Section, SectionKind
from domain.money import Money

_VERSION_LENGTH = 32
_ACCESSIBLE, _RESTRICTED_VIEW, _COMPANION = 1, 2, 4
_DRAWING = ("width", "height", "rotation", "color", "border_color", "text", "text_color", "section")


def make_seat_map(
    event_id: UUID,
    width: int,
    height: int,
    price_levels: tuple[PriceLevel, ...],
    sections: tuple[Section, ...],
    areas: tuple[Area, ...],
    focus: tuple[float, float] | None = None,
) -> SeatMap:
    """A seat map whose version is a digest of its contents: equal contents have equal versions."""
    contents = _contents(event_id, width, height, price_levels, sections, areas, focus)
    canonical = orjson.dumps(contents, option=orjson.OPT_SORT_KEYS)
    version = sha256(canonical).hexdigest()[:_VERSION_LENGTH]
    return SeatMap(event_id, version, width, height, price_levels, sections, areas, focus)


def from_json(text: str | bytes) -> SeatMap:
    """The seat map behind the JSON of `to_document`; a document of our own is not checked."""
    return from_document(orjson.loads(text))


def from_document(document: dict[str, Any]) -> SeatMap:
    """The seat map of a document of `to_document`."""
    currency = document["currency"]
    return SeatMap(
        event_id=UUID(document["eventId"]),
        version=document["version"],
        width=document["width"],
        height=document["height"],
        price_levels=tuple(_read_level(level, currency) for level in document["priceLevels"]),
        sections=tuple(_read_section(section) for section in document["sections"]),
        areas=tuple(_read_area(area) for area in document["areas"]),
        focus=(document["focus"][0], document["focus"][1]) if "focus" in document else None,
    )


def to_document(seat_map: SeatMap) -> dict[str, Any]:
    """The document as plain lists and dicts, ready for a JSON column."""
    contents = _contents(
        seat_map.event_id,
        seat_map.width,
        seat_map.height,
        seat_map.price_levels,
        seat_map.sections,
        seat_map.areas,
        seat_map.focus,
    )
    return {"version": seat_map.version, **contents}


def _contents(
    event_id: UUID,
    width: int,
    height: int,
    price_levels: tuple[PriceLevel, ...],
    sections: tuple[Section, ...],
    areas: tuple[Area, ...],
    focus: tuple[float, float] | None,
) -> dict[str, Any]:
    """The contents that the version is a digest of."""
    contents = {
        "eventId": str(event_id),
        "width": width,
        "height": height,
        "currency": price_levels[0].price.currency,
        "priceLevels": [_level(level) for level in price_levels],
        "sections": [_section(section) for section in sections],
        "areas": [_area(area) for area in areas],
    }
    return contents if focus is None else contents | {"focus": list(focus)}


def _level(level: PriceLevel) -> dict[str, Any]:
    return {
        "number": level.number,
        "name": level.name,
        "color": level.color,
        "price": level.price.amount,
        "fee": level.fee.amount,
    }


def _read_level(level: dict[str, Any], currency: str) -> PriceLevel:
    price, fee = Money(level["price"], currency), Money(level["fee"], currency)
    return PriceLevel(level["number"], level["name"], level["color"], price, fee)


def _section(section: Section) -> dict[str, Any]:
    return {
        "number": section.number,
        "name": section.name,
        "kind": section.kind.value,
        "firstPlace": section.first_place,
        "capacity": section.capacity,
        "priceLevel": section.price_level,
        "rows": [_row(row) for row in section.rows],
    }


def _read_section(section: dict[str, Any]) -> Section:
    rows, place = [], section["firstPlace"]
    for row in section["rows"]:
        rows.append(_read_row(row, place))
        place += len(row["numbers"])
    return Section(
        number=section["number"],
        name=section["name"],
        kind=SectionKind(section["kind"]),
        first_place=section["firstPlace"],
        capacity=section["capacity"],
        price_level=section["priceLevel"],
        rows=tuple(rows),
    )


def _row(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "numbers": [seat.number for seat in row.seats],
        "x": [_number(seat.x) for seat in row.seats],
        "y": [_number(seat.y) for seat in row.seats],
        "priceLevels": _column([seat.price_level for seat in row.seats]),
        "flags": _column([_flags(seat) for seat in row.seats]),
        "guids": [seat.guid for seat in row.seats],
    }


def _read_row(row: dict[str, Any], first_place: int) -> Row:
    size = len(row["numbers"])
    levels, flags = _spread(row["priceLevels"], size), _spread(row["flags"], size)
    columns = zip(row["numbers"], row["x"], row["y"], levels, flags, row["guids"], strict=True)
    seats = (
        Seat(
            index=place,
            row=row["name"],
            number=number,
            x=float(x),
            y=float(y),
            price_level=level,
            accessible=bool(flag & _ACCESSIBLE),
            restricted_view=bool(flag & _RESTRICTED_VIEW),
            guid=guid,
            companion=bool(flag & _COMPANION),
        )
        for place, (number, x, y, level, flag, guid) in enumerate(columns, first_place)
    )
    return Row(row["name"], tuple(seats))


def _area(area: Area) -> dict[str, Any]:
    drawn = {name: getattr(area, name) for name in _DRAWING}
    return {
        "shape": area.shape.value,
        "x": _number(area.x),
        "y": _number(area.y),
        "points": [[_number(x), _number(y)] for x, y in area.points],
        **{_camel(name): value for name, value in drawn.items() if value not in (None, "")},
    }


def _read_area(area: dict[str, Any]) -> Area:
    points = tuple((float(x), float(y)) for x, y in area["points"])
    drawn = {name: area[_camel(name)] for name in _DRAWING if _camel(name) in area}
    shape, x, y = AreaShape(area["shape"]), float(area["x"]), float(area["y"])
    return Area(shape, x, y, points=points, **drawn)


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def _number(value: float) -> float:
    whole = int(value)
    return whole if whole == value else value


def _flags(seat: Seat) -> int:
    marks = _ACCESSIBLE * seat.accessible | _RESTRICTED_VIEW * seat.restricted_view
    return marks | _COMPANION * seat.companion


def _column(values: list[int]) -> list[int] | int:
    return values[0] if values and len(set(values)) == 1 else values


def _spread(column: list[int] | int, size: int) -> list[int]:
    return [column] * size if isinstance(column, int) else column
