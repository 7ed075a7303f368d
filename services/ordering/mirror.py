"""Making Redis say what PostgreSQL says: an order at a time, a place at a time, or all of an event."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.queries.claims import LiveClaim, live_claims, raise_first_version, set_sold_out
from db.queries.orders import OrderRow, claims_of_orders, order_by_id
from domain.states import ClaimState, OrderState
from reservations.outcomes import Correction, Outcome
from services.context import ServiceContext, reading
from services.ordering.seat_rebuild import deadline_ms, places_of

_LETTERS = {ClaimState.HELD: "H", ClaimState.BOOKED: "B", ClaimState.BLOCKED: "X"}
# Versions above the present one that the next epoch leaves free: more than one event can use between two
# looks, and so few that a version stays an Int through tens of thousands of losses.
_HEADROOM = 50_000


async def mirror_order(context: ServiceContext, order_id: UUID) -> None:
    """Show an order's state in Redis: extended, booked, or its places given back. Safe to repeat."""
    order = await reading(order_by_id(context.database, order_id))
    if order is None:
        return
    if order.state == OrderState.PAYING:
        if await context.seats.extend(order.event_id, order.id, None) is Outcome.NOTHING:
            await _take_again(context, order)
        return
    claims = await reading(claims_of_orders(context.database, [order.id]))
    booking = order.state == OrderState.BOOKED
    if booking and await context.seats.book(order.event_id, order.id) is Outcome.NOTHING:
        await _take_again(context, order)
    ended = [claim.place for claim in claims if claim.state == ClaimState.ENDED]
    if ended:
        await context.seats.give_back(order.event_id, order.id, ended)
    await refresh_sold_out(context, order.event_id)


async def _take_again(context: ServiceContext, order: OrderRow) -> None:
    """Show as taken what Redis let lapse before it heard that the payment had begun in time."""
    places = [claim.place for claim in await reading(claims_of_orders(context.database, [order.id]))]
    claims = await reading(live_claims(context.database, [order.event_id], places))
    await mirror_places(context, order.event_id, [claim for claim in claims if claim.order_id == order.id])


async def refresh_sold_out(context: ServiceContext, event_id: UUID) -> None:
    """Keep the coarse mark of the search index: sold out, or something may still be had."""
    sale = await reading(context.sales.get(event_id))
    if sale is None:
        return
    places = (await context.seats.snapshot(event_id)).places
    sold_out = bool(places) and b"A" not in places and b"H" not in places
    if sold_out != sale.sold_out:
        await reading(set_sold_out(context.database, event_id, sold_out=sold_out))
        await context.event_changed(event_id)


async def mirror_places(context: ServiceContext, event_id: UUID, claims: Sequence[LiveClaim]) -> None:
    """Show taken places that Redis has as free, as a lost race has found them."""
    corrections = [
        Correction(
            claim.place,
            "A",
            "",
            _LETTERS[ClaimState(claim.state)],
            str(claim.order_id or ""),
            deadline_ms(claim),
        )
        for claim in claims
    ]
    if corrections:
        await context.seats.correct(event_id, corrections)


@dataclass(frozen=True, slots=True)
class Difference:
    """A place on which Redis and PostgreSQL disagree, and what each has there."""

    place: int
    redis_state: str
    redis_hold: str
    state: str
    hold: str
    deadline_ms: int | None


async def differences(context: ServiceContext, event_id: UUID) -> frozenset[Difference]:
    """Where Redis and PostgreSQL disagree. Requests in flight differ for a moment: look twice."""
    sale = await reading(context.sales.get(event_id))
    if sale is None:
        return frozenset()
    snapshot = await context.seats.snapshot(event_id)
    owners = {
        place: hold for hold, places in (await context.seats.holds(event_id)).items() for place in places
    }
    claims = {claim.place: claim for claim in await reading(live_claims(context.database, [event_id]))}
    seat_map = await context.seat_map(sale.seat_map_version)
    truth = places_of(seat_map.place_count, list(claims.values()))
    found = []
    for place, (seen, true) in enumerate(zip(snapshot.places, truth, strict=False)):
        claim = claims.get(place)
        hold = str(claim.order_id or "") if claim else ""
        if seen != true or owners.get(place, "") != hold:
            deadline = deadline_ms(claim) if claim else None
            found.append(Difference(place, chr(seen), owners.get(place, ""), chr(true), hold, deadline))
    await reading(raise_first_version(context.database, event_id, snapshot.version + _HEADROOM))
    return frozenset(found)


async def repair(context: ServiceContext, event_id: UUID, found: frozenset[Difference]) -> int:
    """Set right what is still as it was found; returns how many places were.

    `found` must have stood for longer than any statement may run: a hold whose order is still on its
    way to PostgreSQL looks like a difference too.
    """
    corrections = [
        Correction(item.place, item.redis_state, item.redis_hold, item.state, item.hold, item.deadline_ms)
        for item in found
    ]
    return await context.seats.correct(event_id, corrections) if corrections else 0
