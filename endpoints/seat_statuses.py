"""GET /events/{id}/seats and /events/{id}/seats/{version}: all seats' statuses as a document for caches.

The first leads to the second, which never changes. A CDN that keeps the way for a second and the document
for a minute answers a crowd that opens the map with one request a second; each client then subscribes to
seatAvailability with `sinceVersion`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from operator import attrgetter
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from domain.availability import count_general_admission
from domain.errors import BoxofficeError, InvalidInput, NotFound
from domain.ids import Kind, Part, parse_id, part_id, public_id
from domain.layout import SeatMap
from endpoints.answers import refusal
from endpoints.documents import Document, compressed, document_answer, lasting
from kit.cache import Cache
from reservations.outcomes import SeatSnapshot
from services.context import ServiceContext
from services.identity.rate_limits import BudgetExceeded

_WAY = "public, max-age=1"
_DOCUMENT = "public, max-age=60, immutable"
_MOST_AGE_SECONDS = 1.0
_MOST_BYTES = 16_000_000
_MAX_DOCUMENTS = 512
READ_COST = 20
"""The cost of reading an event's statuses from Redis, which has to build them where it has none."""

ChargeNetwork = Callable[[str, int], Awaitable[None]]


class StatusDocuments:
    """The documents that were used last, within a bound on their bytes."""

    def __init__(self, context: ServiceContext, charge: ChargeNetwork) -> None:
        self._context = context
        self._charge = charge
        self._documents: Cache[tuple[UUID, int], Document] = Cache(
            max_entries=_MAX_DOCUMENTS,
            max_bytes=_MOST_BYTES,
            size_of=attrgetter("size_bytes"),
            keeps_oversized=True,
        )

    async def snapshot(self, event_id: UUID, address: str) -> SeatSnapshot:
        """Return an event's places, at most a second old; what has to be read is charged to the network.

        Raises:
            BudgetExceeded: The network has asked for too much.
            Unavailable: A store is away.
        """
        recent = self._context.seats.recent(event_id, _MOST_AGE_SECONDS)
        if recent is not None:
            return recent
        await self._charge(address, READ_COST)
        return await self._context.seats.snapshot(event_id)

    async def of(self, event_id: UUID, snapshot: SeatSnapshot) -> Document:
        """Return the document of a snapshot; simultaneous misses make it once."""

        async def make(_: tuple[UUID, int]) -> Document:
            sale = await self._context.sale(event_id)
            seat_map = await self._context.seat_map(sale.seat_map_version)
            return await asyncio.to_thread(compressed, _content(seat_map, snapshot), event_id)

        return await self._documents.get_or_load((event_id, snapshot.version), make)


def _content(seat_map: SeatMap, snapshot: SeatSnapshot) -> dict[str, Any]:
    """The shape of the schema's SeatStatuses, with the event's id."""
    return {
        "eventId": public_id(Kind.EVENT, seat_map.event_id),
        "version": snapshot.version,
        "statuses": snapshot.places[: seat_map.seat_count].decode("ascii"),
        "sections": [
            {
                "sectionId": part_id(Part.SECTION, seat_map.event_id, each.number),
                "name": each.name,
                "available": each.available,
                "held": each.held,
                "booked": each.booked,
                "total": each.total,
            }
            for each in count_general_admission(seat_map, snapshot.places)
        ],
    }


def seat_status_routes(context: ServiceContext, charge: ChargeNetwork) -> list[Route]:
    """Return the routes of the documents."""
    documents = StatusDocuments(context, charge)

    async def answer(request: Request) -> Response:
        event_id = parse_id(request.path_params["event_id"], Kind.EVENT)
        await context.sale(event_id)
        snapshot = await documents.snapshot(event_id, request.client.host if request.client else "")
        if request.path_params.get("version") != str(snapshot.version):
            way = f"/events/{public_id(Kind.EVENT, event_id)}/seats/{snapshot.version}"
            return RedirectResponse(way, 302, headers=lasting(_WAY, public=True))
        document = await documents.of(event_id, snapshot)
        return document_answer(request, document, _DOCUMENT, public=True)

    return [
        Route("/events/{event_id}/seats", refusing(answer)),
        Route("/events/{event_id}/seats/{version}", refusing(answer)),
    ]


def refusing(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint whose refusals have the shape of GraphQL's errors."""

    async def send(request: Request) -> Response:
        try:
            return await answer(request)
        except (NotFound, InvalidInput):
            return refusal(404, "NOT_FOUND", "There is no such event.")
        except BudgetExceeded as error:
            refused = refusal(429, "RATE_LIMITED", error.message)
            refused.headers["retry-after"] = str(error.retry_after_seconds)
            return refused
        except BoxofficeError as error:
            return refusal(503, error.code, error.message)

    return send
