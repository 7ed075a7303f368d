"""Reserve: hold in Redis, then order and claims in PostgreSQL, where the unique index decides."""

import asyncio
import hashlib
import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from db.queries.claims import live_claims
from db.queries.orders import (
    ClaimRow,
    NewOrder,
    OrderRow,
    claims_of_orders,
    end_lapsed_on_places,
    order_by_id,
    place_orders,
)
from db.queries.outbox import write_task
from db.queries.sales import SaleRow
from db.session import DATABASE_AWAY
from db.violations import PlaceTaken, ReferenceTaken
from domain.errors import (
    IdempotencyMismatch,
    InvalidInput,
    NotEnoughSeats,
    NotOnSale,
    OrphanSeat,
    OutcomeUnknown,
    SeatsGone,
    Unavailable,
)
from domain.ids import order_id_of
from domain.layout import SeatMap
from domain.outbox import Topic
from domain.references import reference_of
from domain.states import ClaimState, OrderState, is_selling
from domain.viewer import Viewer
from kit.clock import milliseconds
from kit.ids import new_uuid
from kit.log_context import bind
from kit.spans import step
from reservations.outcomes import Candidate, FreeRange, HoldAnswer, Outcome
from services.context import ServiceContext, reading
from services.identity.authorisation import buyer_of
from services.metrics import measured
from services.ordering.mirror import mirror_places
from services.ordering.selection import (
    BestAvailable,
    ExactSeats,
    GeneralAdmission,
    Selection,
    best_wish,
    check_selection,
    exact_wish,
    ga_wish,
    other_seats,
    quantity_of,
)

log = logging.getLogger("boxoffice.reserve")

KEY_LIFETIME = timedelta(hours=24)
LONGEST_KEY = 255
# With many buyers after the same best seats, each try looks at a fresh map.
_TRIES = 5
# Two references in a row that are taken are as likely as a defect in drawing them.
_REFERENCE_DRAWS = 4


@dataclass(frozen=True, slots=True)
class ReserveRequest:
    """What a buyer asks to hold."""

    event_id: UUID
    selection: Selection
    queue_token: str | None = None
    idempotency_key: str | None = None

    def input_hash(self) -> str:
        """The same for the same input; the queue token is no part of it, since it is renewed."""
        selection = self.selection
        if isinstance(selection, ExactSeats):
            selection = ExactSeats(tuple(sorted(selection.places)))
        text = f"{self.event_id} {selection!r}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One try: who wants what, under which order key."""

    order_id: UUID
    viewer: Viewer
    request: ReserveRequest
    sale: SaleRow
    seat_map: SeatMap
    admission_id: str | None


@measured("reserve")
async def reserve(context: ServiceContext, viewer: Viewer | None, request: ReserveRequest) -> OrderRow:
    """Hold all the seats or none, create the order, start the clock.

    Raises:
        DomainError: the order is not possible; SeatsGone carries the places and alternatives.
        OutcomeUnknown: the commit was cut; the same idempotency key finds out.
    """
    buyer = buyer_of(viewer)
    _check_key(request.idempotency_key)
    sale = await context.sale(request.event_id)
    if not is_selling(sale, context.now()):
        raise NotOnSale
    seat_map = await context.seat_map(sale.seat_map_version)
    check_selection(request.selection, seat_map, sale.max_tickets_per_order)
    order_id = new_uuid()
    if request.idempotency_key is not None:
        order_id = order_id_of(buyer.user_id, request.idempotency_key)
    bind(order_id=order_id)
    attempt = _Attempt(order_id, buyer, request, sale, seat_map, None)
    if sale.waiting_room_enabled:
        # A retry finds its order even where the admission ended with the booking.
        earlier = await _earlier(context, attempt)
        if earlier is not None and not _outlived(context, attempt, earlier):
            return earlier
        admission_id = await context.admissions.check(sale.id, buyer.user_id, request.queue_token)
        attempt = replace(attempt, admission_id=admission_id)
    # A buyer who hangs up between the hold and the commit must not leave the one without the other.
    return await asyncio.shield(_attempt(context, attempt))


def _check_key(key: str | None) -> None:
    if key is not None and not (1 <= len(key) <= LONGEST_KEY and key.isprintable()):
        raise InvalidInput(f"idempotencyKey: between 1 and {LONGEST_KEY} printable characters.")


async def _attempt(context: ServiceContext, attempt: _Attempt) -> OrderRow:
    tries = 0
    while True:
        answer = await _hold(context, attempt)
        order = None if answer.outcome is Outcome.HELD else await _earlier(context, attempt)
        if order is None and answer.outcome in (Outcome.HELD, Outcome.REPLAY):
            order = await _place(context, attempt, answer)
            tries += 1
            if order is None and tries < _TRIES:
                continue  # Redis was behind PostgreSQL and has been put right: others may be free
        if order is None:
            raise await _refusal(context, attempt, answer)
        if not _outlived(context, attempt, order):
            return order
        previous = order.id
        attempt = replace(
            attempt,
            order_id=order_id_of(attempt.viewer.user_id, attempt.request.idempotency_key or "", previous),
        )


def _outlived(context: ServiceContext, attempt: _Attempt, order: OrderRow) -> bool:
    """Whether the key's order is so old that the key is free again; if not, the input must match."""
    if order.created_at + KEY_LIFETIME < context.now():
        return True
    if order.input_hash != attempt.request.input_hash():
        raise IdempotencyMismatch
    return False


async def _earlier(context: ServiceContext, attempt: _Attempt) -> OrderRow | None:
    """The order that this idempotency key made before, if any."""
    if attempt.request.idempotency_key is None:
        return None
    return await reading(order_by_id(context.database, attempt.order_id))


async def _hold(context: ServiceContext, attempt: _Attempt) -> HoldAnswer:
    selection, seat_map = attempt.request.selection, attempt.seat_map
    if isinstance(selection, ExactSeats):
        return await _hold_wish(context, attempt, exact_wish(selection, seat_map), attempt.sale.orphan_rule)
    if isinstance(selection, GeneralAdmission):
        return await _hold_wish(context, attempt, ga_wish(selection, seat_map), False)
    return await _hold_best(context, attempt, selection)


async def _hold_best(context: ServiceContext, attempt: _Attempt, selection: BestAvailable) -> HoldAnswer:
    """The house's choice may leave a single seat only where nothing else is left."""
    answer = HoldAnswer(Outcome.TAKEN, 0, ())
    for number in range(_TRIES):
        snapshot = await context.seats.snapshot(attempt.sale.id)
        wish = best_wish(selection, attempt.seat_map, snapshot.places)
        if not wish:
            break
        strict = attempt.sale.orphan_rule and number == 0
        answer = await _hold_wish(context, attempt, wish, strict)
        if answer.outcome in (Outcome.HELD, Outcome.REPLAY):
            break
    return answer


async def _hold_wish(
    context: ServiceContext, attempt: _Attempt, wish: list[Candidate] | FreeRange, orphan_rule: bool
) -> HoldAnswer:
    deadline_ms = milliseconds(context.now() + context.hold_time)
    return await context.seats.hold(
        attempt.sale.id, attempt.order_id, wish, deadline_ms, orphan_rule=orphan_rule
    )


async def _refusal(context: ServiceContext, attempt: _Attempt, answer: HoldAnswer) -> Exception:
    if answer.outcome is Outcome.ORPHAN:
        return OrphanSeat()
    if not isinstance(attempt.request.selection, ExactSeats):
        return NotEnoughSeats()
    return await _gone(context, attempt, answer.places)


async def _gone(context: ServiceContext, attempt: _Attempt, taken: tuple[int, ...]) -> SeatsGone:
    """What to tell the loser of a race: which seats are gone, and others that are free."""
    event_id, wanted = attempt.sale.id, attempt.request.selection
    if not isinstance(wanted, ExactSeats):
        return SeatsGone(taken)
    snapshots = await context.seats.read([event_id], max_age_seconds=0.2)
    free = snapshots[event_id].places if event_id in snapshots else b""
    return SeatsGone(taken or wanted.places, other_seats(attempt.seat_map, free, wanted.places))


async def _place(context: ServiceContext, attempt: _Attempt, answer: HoldAnswer) -> OrderRow | None:
    """Write the order, drawing another reference where one is taken.

    Returns None where the unique index found a place taken.
    """
    _check_replay(attempt, answer)
    order = _new_order(context, attempt, answer.places)
    for draw in range(1, _REFERENCE_DRAWS):
        try:
            return await _write(context, attempt, order, answer)
        except ReferenceTaken:
            log.warning("order reference %s is taken: draw %d follows", order.row.reference, draw)
            order = order.with_reference(reference_of(order.row.id, draw))
    return await _write(context, attempt, order, answer)


async def _write(
    context: ServiceContext, attempt: _Attempt, order: NewOrder, answer: HoldAnswer
) -> OrderRow | None:
    """Write the order once. Raises ReferenceTaken; None where the unique index found a place taken."""
    try:
        with step("sql place order"):
            claims = await context.orders.place(order)
    except PlaceTaken:
        return await _place_after_lapsed(context, attempt, order, answer)
    except Unavailable:
        await _give_back(context, attempt, answer)
        raise
    except DATABASE_AWAY as error:
        return await _after_cut(context, attempt, error)
    return order.row if claims else await _existing(context, attempt, answer)


async def _after_cut(context: ServiceContext, attempt: _Attempt, cause: BaseException) -> OrderRow:
    """The answer was cut and the commit may have happened: read the order by its id.

    Where it is not found it may still be on its way, so the hold stays; the reconciler ends it.
    """
    try:
        order = await order_by_id(context.database, attempt.order_id)
    except DATABASE_AWAY:
        order = None
    if order is None:
        raise OutcomeUnknown from cause
    return order


async def _existing(context: ServiceContext, attempt: _Attempt, answer: HoldAnswer) -> OrderRow:
    """The order that was there already, or the reason why none was written."""
    order = await reading(order_by_id(context.database, attempt.order_id))
    if order is None:
        await _give_back(context, attempt, answer)
        context.sales.forget(attempt.sale.id)
        raise NotOnSale
    claims = await reading(claims_of_orders(context.database, [order.id]))
    live = {claim.place for claim in claims if claim.state != ClaimState.ENDED}
    surplus = [place for place in answer.places if place not in live]
    if surplus:
        await context.seats.give_back(attempt.sale.id, attempt.order_id, surplus)
    return order


async def _place_after_lapsed(
    context: ServiceContext, attempt: _Attempt, order: NewOrder, answer: HoldAnswer
) -> OrderRow | None:
    """A live claim is in the way: end it if its hold has lapsed, in the transaction that claims anew.

    Returns None where it has not and the house may choose other places.
    """
    now = context.now()
    try:
        async with context.database.transaction() as connection:
            ended = await end_lapsed_on_places(connection, attempt.sale.id, answer.places, now)
            for order_id in ended:
                await write_task(connection, Topic.MIRROR_ORDER, order_id, {}, now)
            if await place_orders(connection, [order]) != [0]:
                return order.row
    except PlaceTaken:
        await _give_back(context, attempt, answer)
        await _lost(context, attempt, answer)
        return None
    except DATABASE_AWAY as error:
        return await _after_cut(context, attempt, error)
    return await _existing(context, attempt, answer)


async def _lost(context: ServiceContext, attempt: _Attempt, answer: HoldAnswer) -> None:
    """Redis had these places free and PostgreSQL did not: show what PostgreSQL has; refuse exact seats."""
    claims = await reading(live_claims(context.database, [attempt.sale.id], answer.places))
    await mirror_places(context, attempt.sale.id, claims)
    if isinstance(attempt.request.selection, ExactSeats):
        raise await _gone(context, attempt, tuple(claim.place for claim in claims))


async def _give_back(context: ServiceContext, attempt: _Attempt, answer: HoldAnswer) -> None:
    await context.seats.give_back(attempt.sale.id, attempt.order_id, answer.places)


def _check_replay(attempt: _Attempt, answer: HoldAnswer) -> None:
    """A hold that is there already must be of the same wish."""
    if answer.outcome is not Outcome.REPLAY:
        return
    selection = attempt.request.selection
    same = len(answer.places) == quantity_of(selection)
    if isinstance(selection, ExactSeats):
        same = sorted(answer.places) == sorted(selection.places)
    if not same:
        raise IdempotencyMismatch


def _new_order(context: ServiceContext, attempt: _Attempt, places: tuple[int, ...]) -> NewOrder:
    now = context.now()
    levels = [(place, attempt.seat_map.price_level_of(place)) for place in sorted(places)]
    subtotal = sum(level.price.amount for _, level in levels)
    fees = sum(level.fee.amount for _, level in levels)
    row = OrderRow(
        id=attempt.order_id,
        reference=reference_of(attempt.order_id),
        event_id=attempt.sale.id,
        user_id=attempt.viewer.user_id,
        state=OrderState.RESERVED,
        currency=attempt.seat_map.currency,
        subtotal_minor=subtotal,
        fees_minor=fees,
        total_minor=subtotal + fees,
        idempotency_key=attempt.request.idempotency_key,
        input_hash=attempt.request.input_hash(),
        expires_at=now + context.hold_time,
        extended=False,
        admission_jti=attempt.admission_id,
        created_at=now,
    )
    claims = tuple(
        ClaimRow(
            row.id, row.event_id, place, ClaimState.HELD, level.number, level.price.amount, level.fee.amount
        )
        for place, level in levels
    )
    buyer = attempt.viewer
    return NewOrder(row, buyer.subject, buyer.email, buyer.name, claims)
