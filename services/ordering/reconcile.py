"""Reconcile: find the places on which Redis and PostgreSQL disagree, and correct Redis."""

from dataclasses import dataclass
from uuid import UUID

from db.queries.claims import live_claims, raise_first_version
from domain.seat_status import SeatStatus
from domain.ticket_limits import LimitKeys
from reservations.outcomes import Correction
from services.context import ServiceContext, reading
from services.ordering.lost_orders import holds_to_free
from services.ordering.seat_rebuild import deadline_ms, places_of

# The versions above the present one that the next epoch leaves free: more than one event uses between two
# comparisons, and so few that a version stays an Int through tens of thousands of losses.
_HEADROOM = 50_000


@dataclass(frozen=True, slots=True)
class Difference:
    """A place with its state and hold in Redis, and its state, hold and deadline in PostgreSQL."""

    place: int
    redis_state: str
    redis_hold: str
    state: str
    hold: str
    deadline_ms: int | None
    owner: LimitKeys


async def differences(context: ServiceContext, event_id: UUID) -> frozenset[Difference]:
    """Return the places on which Redis and PostgreSQL disagree.

    Requests in flight differ for a moment, so a caller believes only differences that two calls find.
    """
    sale = await reading(context.sales.get(event_id))
    if sale is None:
        return frozenset()
    snapshot = await context.seats.snapshot_in_redis(event_id)
    owners = {
        place: hold for hold, places in (await context.seats.holds(event_id)).items() for place in places
    }
    claims = {claim.place: claim for claim in await reading(live_claims(context.database, [event_id]))}
    seat_map = await context.seat_map(sale.seat_map_version)
    expected = places_of(seat_map.place_count, list(claims.values()))
    found = []
    for place, (seen, state) in enumerate(zip(snapshot.places, expected, strict=False)):
        claim = claims.get(place)
        hold = str(claim.order_id or "") if claim else ""
        if seen != state or owners.get(place, "") != hold:
            deadline = deadline_ms(claim) if claim else None
            keys = claim.keys if claim else LimitKeys()
            found.append(
                Difference(place, chr(seen), owners.get(place, ""), chr(state), hold, deadline, keys)
            )
    await reading(raise_first_version(context.database, event_id, snapshot.version + _HEADROOM))
    return frozenset(found)


async def correct_places(context: ServiceContext, event_id: UUID, found: frozenset[Difference]) -> int:
    """Correct in Redis the places that still are as they were found, and return their number.

    `found` must be older than any statement may run: a hold whose order is being written differs too.
    """
    corrections = [
        Correction(
            item.place, item.redis_state, item.redis_hold, item.state, item.hold, item.deadline_ms, item.owner
        )
        for item in found
    ]
    return await context.seats.correct(event_id, corrections) if corrections else 0


async def correct_standing(
    context: ServiceContext, event_id: UUID, found: frozenset[Difference]
) -> frozenset[Difference]:
    """Correct differences that stand; return them without those that keep what Redis has, since it was paid.

    Raises:
        Unavailable: Stripe does not answer, and nothing was corrected.
    """
    holds: dict[UUID, bool] = {}
    for one in found:
        if one.redis_hold:
            order_id = UUID(one.redis_hold)
            holds[order_id] = holds.get(order_id, False) or one.redis_state == SeatStatus.BOOKED
    free = {str(order_id) for order_id in await holds_to_free(context, holds)}
    settled = frozenset(one for one in found if not one.redis_hold or one.redis_hold in free)
    await correct_places(context, event_id, settled)
    return settled
