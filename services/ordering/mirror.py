"""Mirror: show in Redis what PostgreSQL says of an order, or of some of its places."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from db.queries.claims import LiveClaim, live_claims, set_sold_out
from db.queries.orders import OrderRow, claims_of_orders, order_by_id
from domain.seat_status import FREE, HELD, STATUS_OF_CLAIM, SeatStatus
from domain.states import ClaimState, OrderState
from reservations.outcomes import Correction, Outcome
from services.context import ServiceContext, reading
from services.ordering.seat_rebuild import deadline_ms


async def mirror_order(context: ServiceContext, order_id: UUID) -> None:
    """Show an order's state in Redis: extended, booked, or its places released. Safe to repeat."""
    order = await reading(order_by_id(context.database, order_id))
    if order is None:
        return
    if order.state == OrderState.PAYING:
        if await context.seats.extend(order.event_id, order.id, None) is Outcome.NOTHING:
            await _hold_again(context, order)
        return
    claims = await reading(claims_of_orders(context.database, [order.id]))
    booking = order.state == OrderState.BOOKED
    if booking and await context.seats.book(order.event_id, order.id) is Outcome.NOTHING:
        await _hold_again(context, order)
    ended = [claim.place for claim in claims if claim.state == ClaimState.ENDED]
    if ended:
        await context.seats.release(order.event_id, order.id, ended)
    await refresh_sold_out(context, order.event_id)


async def free_places_of(context: ServiceContext, order_ids: Sequence[UUID]) -> None:
    """Show the ended places of many orders as free in Redis. Safe to repeat."""
    claims = await reading(claims_of_orders(context.database, order_ids))
    places: defaultdict[tuple[UUID, UUID], list[int]] = defaultdict(list)
    for claim in claims:
        if claim.state == ClaimState.ENDED:
            places[claim.event_id, claim.order_id].append(claim.place)
    await asyncio.gather(
        *(context.seats.release(event_id, order_id, ended) for (event_id, order_id), ended in places.items())
    )
    for event_id in {event_id for event_id, _ in places}:
        await refresh_sold_out(context, event_id)


async def _hold_again(context: ServiceContext, order: OrderRow) -> None:
    """Show as taken the places whose hold lapsed in Redis before it was extended."""
    places = [claim.place for claim in await reading(claims_of_orders(context.database, [order.id]))]
    claims = await reading(live_claims(context.database, [order.event_id], places))
    await mirror_places(context, order.event_id, [claim for claim in claims if claim.order_id == order.id])


async def refresh_sold_out(context: ServiceContext, event_id: UUID) -> None:
    """Store whether an event is sold out, which the search index and the event's status show."""
    sale = await reading(context.sales.get(event_id))
    if sale is None:
        return
    places = (await context.seats.snapshot(event_id)).places
    sold_out = bool(places) and FREE not in places and HELD not in places
    if sold_out != sale.sold_out:
        await reading(set_sold_out(context.database, event_id, sold_out=sold_out))
        await context.event_changed(event_id)


async def mirror_places(context: ServiceContext, event_id: UUID, claims: Sequence[LiveClaim]) -> None:
    """Show the places of live claims as taken where Redis has them as free."""
    corrections = [
        Correction(
            claim.place,
            SeatStatus.AVAILABLE,
            "",
            STATUS_OF_CLAIM[claim.state],
            str(claim.order_id or ""),
            deadline_ms(claim),
            claim.keys,
        )
        for claim in claims
    ]
    if corrections:
        await context.seats.correct(event_id, corrections)
