"""GET /seatmaps/{version}.json and /seatmaps/{version}/rows.json: a layout as one immutable document.

The first has the shape of the schema's SeatMap, seat by seat;
the second says the same by rows. Both are immutable and compressed.
A draft's documents are its organiser's alone, who sends the token.
"""

import asyncio
from collections.abc import Awaitable, Callable
from operator import attrgetter
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.errors import BoxofficeError, NotFound, Unauthenticated
from domain.ids import Part, part_id
from domain.layout import Area, PriceLevel, Seat, SeatMap, Section
from domain.money import Money
from endpoints.answers import refusal
from endpoints.documents import Document, Readers, compressed, document_answer
from endpoints.seat_rows import rows_document
from kit.cache import Cache
from services.context import ServiceContext
from services.identity.tokens import Tokens

_FOREVER = "public, max-age=31536000, immutable"
_MOST_BYTES = 64_000_000
_MAX_DOCUMENTS = 10_000


Shape = Callable[[SeatMap], dict[str, Any]]
_Key = tuple[str, Shape]


class Documents:
    """The documents that were used last, compressed once, within a bound on their bytes."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._documents: Cache[_Key, Document] = Cache(
            max_entries=_MAX_DOCUMENTS,
            max_bytes=_MOST_BYTES,
            size_of=attrgetter("size_bytes"),
            keeps_oversized=True,
        )

    async def get(self, version: str, shape: Shape) -> Document:
        """Return the document of a version in a shape; simultaneous misses build it once."""
        return await self._documents.get_or_load((version, shape), self._make)

    async def _make(self, key: _Key) -> Document:
        version, shape = key
        seat_map = await self._context.seat_map(version)
        return await asyncio.to_thread(compressed, shape(seat_map), seat_map.event_id)


def document_of(seat_map: SeatMap) -> dict[str, Any]:
    """Return the shape of the schema's SeatMap, with `areas`: the drawn things that are not seats."""
    return {
        "id": f"map_{seat_map.version}",
        "version": seat_map.version,
        "width": seat_map.width,
        "height": seat_map.height,
        "seatCount": seat_map.seat_count,
        "priceLevels": [_level(seat_map, level) for level in seat_map.price_levels],
        "sections": [_section(seat_map, section) for section in seat_map.sections],
        "areas": [_area(seat_map, area) for area in seat_map.areas],
    }


def by_rows(seat_map: SeatMap) -> dict[str, Any]:
    """Return the layout by rows, in a tenth of the bytes."""
    return rows_document(seat_map, lambda level: _level(seat_map, level), lambda area: _area(seat_map, area))


def _level(seat_map: SeatMap, level: PriceLevel) -> dict[str, Any]:
    return {
        "id": part_id(Part.PRICE_LEVEL, seat_map.event_id, level.number),
        "name": level.name,
        "color": level.color,
        "price": _money(level.price),
        "fee": _money(level.fee),
        "total": _money(level.total),
    }


def _money(money: Money) -> dict[str, Any]:
    return {"amount": money.amount, "currency": money.currency, "digits": money.digits}


def _section(seat_map: SeatMap, section: Section) -> dict[str, Any]:
    level = section.price_level
    return {
        "id": part_id(Part.SECTION, seat_map.event_id, section.number),
        "name": section.name,
        "kind": section.kind.value,
        "capacity": section.capacity,
        "priceLevelId": None if level is None else part_id(Part.PRICE_LEVEL, seat_map.event_id, level),
        "seats": [_seat(seat_map, seat) for row in section.rows for seat in row.seats],
    }


def _seat(seat_map: SeatMap, seat: Seat) -> dict[str, Any]:
    return {
        "id": part_id(Part.SEAT, seat_map.event_id, seat.index),
        "index": seat.index,
        "row": seat.row,
        "number": seat.number,
        "x": _short(seat.x),
        "y": _short(seat.y),
        "priceLevelId": part_id(Part.PRICE_LEVEL, seat_map.event_id, seat.price_level),
        "accessible": seat.accessible,
        "restrictedView": seat.restricted_view,
    }


def _short(value: float) -> float:
    """Return a whole float as an int, which has fewer bytes."""
    return int(value) if value.is_integer() else value


def _area(seat_map: SeatMap, area: Area) -> dict[str, Any]:
    section = area.section
    return {
        "name": area.text,
        "shape": area.shape.value,
        "x": area.x,
        "y": area.y,
        "width": area.width,
        "height": area.height,
        "points": area.points,
        "rotation": area.rotation,
        "color": area.color,
        "sectionId": None if section is None else part_id(Part.SECTION, seat_map.event_id, section),
    }


def seat_map_routes(context: ServiceContext, tokens: Tokens) -> list[Route]:
    """Return the routes of the documents."""
    documents, readers = Documents(context), Readers(context, tokens)

    def sends(shape: Shape) -> Callable[[Request], Awaitable[Response]]:
        async def send(request: Request) -> Response:
            try:
                document = await documents.get(request.path_params["version"], shape)
                public = await readers.is_public(request, document.event_id)
            except NotFound:
                return refusal(404, "NOT_FOUND", "There is no such seat map.")
            except Unauthenticated as error:
                return refusal(401, error.code, error.message)
            except BoxofficeError as error:
                return refusal(503, error.code, error.message)
            return document_answer(request, document, _FOREVER, public=public)

        return send

    return [
        Route("/seatmaps/{version}.json", sends(document_of)),
        Route("/seatmaps/{version}/rows.json", sends(by_rows)),
    ]
