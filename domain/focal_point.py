"""Where the audience looks: what the best seats are near to."""

import re
import unicodedata
from math import cos, radians, sin
from statistics import fmean

from domain.layout import Area, AreaShape, Row, SeatMap

Point = tuple[float, float]

# What a plan writes on its stage; in scripts without spaces it may be a part of a longer word.
_STAGE = re.compile(
    r"\b(?:stage|buhne|hauptbuhne|scene|escenario|palco|palcoscenico|podium|toneel|scen|scena|jeviste|podio"
    r"|szinpad|sahne|nayttamo|catwalk|runway|сцена|подиум|σκηνη|plateau|screen|leinwand)\b"
    r"|무대|스테이지|舞台|ステージ|במה|المسرح|خشبة"
)
_NOT_THE_STAGE = re.compile(r"\b(?:door|entrance|eingang|entree|back|box|bar|side|left|right|view|stairs?)\b")


def focal_point(seat_map: SeatMap) -> Point:
    """Where the audience looks: as the plan says, else the middle of its stage, else of its first row.

    Of several areas with a stage's name it is the largest one. Without seats it is the map's middle.
    """
    if seat_map.focus is not None:
        return seat_map.focus
    stages = [area for area in seat_map.areas if area.section is None and is_stage(area.text)]
    if stages:
        return _middle_of_area(max(stages, key=_extent))
    rows = (row for section in seat_map.sections for row in section.rows)
    first = next(rows, None)
    return _middle_of_row(first) if first else (seat_map.width / 2, seat_map.height / 2)


def is_stage(text: str) -> bool:
    """Whether an area with this text is a stage."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in apart if unicodedata.category(char) != "Mn")
    # Without its marks ステージ is another word.
    texts = f"{unicodedata.normalize('NFKC', plain)} {unicodedata.normalize('NFKC', text)}"
    return bool(_STAGE.search(texts)) and not _NOT_THE_STAGE.search(texts)


def _extent(area: Area) -> float:
    if area.shape is not AreaShape.POLYGON:
        return area.width * area.height
    xs, ys = [x for x, _ in area.points], [y for _, y in area.points]
    return (max(xs) - min(xs)) * (max(ys) - min(ys)) if area.points else 0.0


def _middle_of_area(area: Area) -> Point:
    """The middle of an area that is turned by its rotation around its position."""
    x, y = _middle_before_rotation(area)
    turn = radians(area.rotation)
    return area.x + x * cos(turn) - y * sin(turn), area.y + x * sin(turn) + y * cos(turn)


def _middle_before_rotation(area: Area) -> Point:
    if area.shape is AreaShape.RECTANGLE:
        return area.width / 2, area.height / 2
    if area.shape is AreaShape.POLYGON and area.points:
        xs, ys = [x for x, _ in area.points], [y for _, y in area.points]
        return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    return 0.0, 0.0


def _middle_of_row(row: Row) -> Point:
    return fmean(seat.x for seat in row.seats), fmean(seat.y for seat in row.seats)
