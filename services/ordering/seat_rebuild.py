"""The seats of an event in PostgreSQL: the source from which Redis is rebuilt."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from uuid import UUID

from db.queries.claims import LiveClaim, live_claims, next_first_version
from db.queries.sales import sale_by_event
from db.session import Database
from domain.errors import NotFound
from domain.seat_status import FREE, STATUS_OF_CLAIM
from domain.states import ClaimState, OrderState
from kit.clock import milliseconds
from reservations.outcomes import LiveHold, SeatSource
from services.caches import LayoutCache
from services.context import reading


def seat_source_loader(database: Database, layouts: LayoutCache) -> Callable[[UUID], Awaitable[SeatSource]]:
    """Return the function by which `SeatStore` reads the seats of one event."""

    async def load(event_id: UUID) -> SeatSource:
        return await reading(_load(database, layouts, event_id))

    return load


async def _load(database: Database, layouts: LayoutCache, event_id: UUID) -> SeatSource:
    sale = await sale_by_event(database, event_id)
    if sale is None:
        raise NotFound("There is no such event.")
    seat_map = await layouts.get(sale.seat_map_version)
    # The version is read first: a claim made meanwhile may be seen too early, but is never missed.
    first_version = await next_first_version(database, event_id)
    claims = await live_claims(database, [event_id])
    return SeatSource(places_of(seat_map.place_count, claims), _holds(claims), first_version)


def places_of(place_count: int, claims: list[LiveClaim]) -> bytes:
    """Return one byte a place from the live claims of an event."""
    places = bytearray(FREE * place_count)
    for claim in claims:
        places[claim.place : claim.place + 1] = STATUS_OF_CLAIM[claim.state].encode()
    return bytes(places)


def deadline_ms(claim: LiveClaim) -> int | None:
    """Return the time at which a claim's hold lapses; None where only PostgreSQL may end it."""
    if claim.order_state != OrderState.RESERVED or claim.expires_at is None:
        return None
    return milliseconds(claim.expires_at)


def _holds(claims: list[LiveClaim]) -> tuple[LiveHold, ...]:
    by_order: defaultdict[UUID, list[LiveClaim]] = defaultdict(list)
    for claim in claims:
        if claim.order_id is not None:
            by_order[claim.order_id].append(claim)
    return tuple(
        LiveHold(
            str(order_id),
            tuple(claim.place for claim in owned),
            deadline_ms(owned[0]),
            owned[0].state == ClaimState.BOOKED,
            owned[0].keys,
        )
        for order_id, owned in by_order.items()
    )
