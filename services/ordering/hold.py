"""Hold: take the places of an attempt in Redis, or say which error refuses it."""

from db.violations import LimitReached
from domain.errors import NotEnoughSeats, OrphanSeat, SeatsGone
from kit.clock import milliseconds
from reservations.outcomes import Candidate, FreeRange, HoldAnswer, Outcome
from services.context import ServiceContext
from services.ordering.attempt import Attempt
from services.ordering.limits import limit_error
from services.ordering.order_total import chargeable
from services.ordering.selection import (
    BestAvailable,
    ExactSeats,
    GeneralAdmission,
    best_candidates,
    exact_candidates,
    free_range,
    other_seats,
    quantity_of,
)

# When many buyers want the same best seats, each try reads a new map.
_TRIES = 5
_ALTERNATIVES_AGE_SECONDS = 0.2
_ALTERNATIVES_TRIES = 3
_DECIDED = (Outcome.HELD, Outcome.REPLAY, Outcome.PERSON, Outcome.NETWORK)


async def hold(context: ServiceContext, attempt: Attempt) -> HoldAnswer:
    """Hold the first candidate of the attempt whose places are all free."""
    selection, seat_map = attempt.request.selection, attempt.seat_map
    if isinstance(selection, ExactSeats):
        candidates = exact_candidates(selection, seat_map)
        return await _hold(context, attempt, candidates, orphan_rule=attempt.sale.orphan_rule)
    if isinstance(selection, GeneralAdmission):
        return await _hold(context, attempt, free_range(selection, seat_map), orphan_rule=False)
    return await _hold_best(context, attempt, selection)


async def _hold_best(context: ServiceContext, attempt: Attempt, selection: BestAvailable) -> HoldAnswer:
    """Hold the best seats; they may leave a single free seat only where no others are left."""
    answer = HoldAnswer(Outcome.TAKEN, 0, ())
    for number in range(_TRIES):
        snapshot = await context.seats.snapshot(attempt.sale.id)
        found = best_candidates(selection, attempt.seat_map, snapshot.places)
        candidates = chargeable(attempt.seat_map, found)
        if not candidates:
            break
        strict = attempt.sale.orphan_rule and number == 0
        answer = await _hold(context, attempt, candidates, orphan_rule=strict)
        if answer.outcome in _DECIDED:
            break
    return answer


async def _hold(
    context: ServiceContext, attempt: Attempt, candidates: list[Candidate] | FreeRange, *, orphan_rule: bool
) -> HoldAnswer:
    deadline_ms = milliseconds(context.now() + context.hold_time)
    return await context.seats.hold(
        attempt.sale.id,
        attempt.order_id,
        candidates,
        deadline_ms,
        orphan_rule=orphan_rule,
        limits=attempt.limits,
        request=attempt.request_name,
    )


async def refuse(context: ServiceContext, attempt: Attempt, answer: HoldAnswer) -> HoldAnswer:
    """Refuse an attempt for good; REPLAY where a simultaneous one with the same key holds places."""
    if attempt.request.idempotency_key is None:
        return answer
    return await context.seats.refuse(attempt.sale.id, attempt.order_id, answer, attempt.request_name)


async def error_of(context: ServiceContext, attempt: Attempt, answer: HoldAnswer) -> Exception:
    """Return the error that tells the buyer why nothing was held."""
    if answer.outcome is Outcome.ORPHAN:
        return OrphanSeat()
    if answer.outcome in (Outcome.PERSON, Outcome.NETWORK):
        quantity = quantity_of(attempt.request.selection)
        return limit_error(context, attempt.viewer, quantity, _reached(attempt, answer))
    if not isinstance(attempt.request.selection, ExactSeats):
        return NotEnoughSeats()
    return await seats_gone(context, attempt, answer.places)


def _reached(attempt: Attempt, answer: HoldAnswer) -> LimitReached:
    have, own = answer.places or (0, 0)
    of_network = answer.outcome is Outcome.NETWORK
    return LimitReached(of_network=of_network, most=attempt.limits.per_person, have=have, own=own)


async def seats_gone(context: ServiceContext, attempt: Attempt, taken: tuple[int, ...]) -> SeatsGone:
    """Return the error that names the taken seats and free ones in their place."""
    event_id, wanted = attempt.sale.id, attempt.request.selection
    if not isinstance(wanted, ExactSeats):
        return SeatsGone(taken)
    snapshots = await context.seats.read([event_id], max_age_seconds=_ALTERNATIVES_AGE_SECONDS)
    places = snapshots[event_id].places if event_id in snapshots else b""
    return SeatsGone(taken or wanted.places, await _alternatives(context, attempt, wanted.places, places))


async def _alternatives(
    context: ServiceContext, attempt: Attempt, wanted: tuple[int, ...], places: bytes
) -> tuple[int, ...]:
    """Return seats near the wanted ones that are free at this moment: in a rush a map is soon outdated."""
    event_id = attempt.sale.id
    for _ in range(_ALTERNATIVES_TRIES):
        found = other_seats(attempt.seat_map, places, wanted)
        if not found or await context.seats.are_free(event_id, found):
            return found
        places = (await context.seats.snapshot(event_id)).places
    return ()
