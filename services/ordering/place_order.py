"""Place an order: write a held attempt to PostgreSQL, where the unique index over live claims decides."""

import logging

from db.queries.claims import live_claims
from db.queries.orders import (
    ClaimRow,
    NewOrder,
    OrderRow,
    claims_of_orders,
    end_lapsed_on_places,
    lock_buyer,
    order_by_id,
    place_orders,
)
from db.queries.outbox import write_task
from db.session import DATABASE_AWAY
from db.violations import LimitReached, Paused, PlaceTaken, ReferenceTaken
from domain.errors import IdempotencyMismatch, NotOnSale, OutcomeUnknown, Unavailable
from domain.outbox import Topic
from domain.references import reference_of
from domain.states import ClaimState, OrderState
from kit.spans import step
from reservations.outcomes import HoldAnswer, Outcome
from services.context import ServiceContext, reading
from services.ordering.attempt import Attempt
from services.ordering.hold import seats_gone
from services.ordering.hold_pauses import pause_error
from services.ordering.limits import limit_error
from services.ordering.mirror import mirror_places
from services.ordering.selection import ExactSeats, quantity_of

log = logging.getLogger("boxoffice.reserve")

# More references in a row that are taken point to a defect in drawing them, not to chance.
_REFERENCE_DRAWS = 4


async def place_order(context: ServiceContext, attempt: Attempt, answer: HoldAnswer) -> OrderRow | None:
    """Write the order, with another reference where the drawn one is taken.

    Returns: None where a place has another live claim and the attempt may hold other places.

    Raises:
        SeatsGone: A seat that the buyer named has another live claim.
        LimitExceeded, SlowDown: The person or the network would have too many tickets.
        IdempotencyMismatch: The hold is an earlier one for other places.
        NotOnSale: The event was cancelled meanwhile.
        Unavailable: The database does not answer, and nothing was written.
        OutcomeUnknown: The connection was cut, and the order may have been written.
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
    context: ServiceContext, attempt: Attempt, order: NewOrder, answer: HoldAnswer
) -> OrderRow | None:
    """Write the order once. Raises ReferenceTaken; returns None as `place_order` does."""
    try:
        with step("sql place order"):
            claims = await context.orders.place(order)
    except PlaceTaken:
        return await _write_after_lapsed(context, attempt, order, answer)
    except (LimitReached, Paused) as reached:
        return await _after_limit(context, attempt, answer, reached)
    except Unavailable:
        await _release(context, attempt, answer)
        raise
    except DATABASE_AWAY as error:
        return await _after_cut(context, attempt, error)
    return order.row if claims else await _existing(context, attempt, answer)


async def _write_after_lapsed(
    context: ServiceContext, attempt: Attempt, order: NewOrder, answer: HoldAnswer
) -> OrderRow | None:
    """End the lapsed claims in the way, and write the order in the same transaction."""
    now = context.now()
    try:
        async with context.database.transaction() as connection:
            await lock_buyer(connection, order)
            ended = await end_lapsed_on_places(connection, attempt.sale.id, answer.places, now)
            for order_id in ended:
                await write_task(connection, Topic.MIRROR_ORDER, order_id, {}, now)
            [written] = await place_orders(connection, [order])
            if isinstance(written, LimitReached):
                raise written
            if written:
                return order.row
    except LimitReached as reached:
        return await _after_limit(context, attempt, answer, reached)
    except PlaceTaken:
        await _release(context, attempt, answer)
        await _mirror_taken(context, attempt, answer)
        return None
    except DATABASE_AWAY as error:
        return await _after_cut(context, attempt, error)
    return await _existing(context, attempt, answer)


async def _after_limit(
    context: ServiceContext, attempt: Attempt, answer: HoldAnswer, reached: LimitReached | Paused
) -> OrderRow:
    """Return the order where this is a retry; otherwise release the hold and raise why it is refused."""
    if await reading(order_by_id(context.database, attempt.order_id)) is not None:
        return await _existing(context, attempt, answer)
    await _release(context, attempt, answer)
    if isinstance(reached, Paused):
        raise pause_error(context, attempt, reached.until)
    raise limit_error(context, attempt.viewer, len(answer.places), reached)


async def _mirror_taken(context: ServiceContext, attempt: Attempt, answer: HoldAnswer) -> None:
    """Show in Redis the claims that PostgreSQL has on these places. Raises SeatsGone for named seats."""
    claims = await reading(live_claims(context.database, [attempt.sale.id], answer.places))
    await mirror_places(context, attempt.sale.id, claims)
    if isinstance(attempt.request.selection, ExactSeats):
        raise await seats_gone(context, attempt, tuple(claim.place for claim in claims))


async def _after_cut(context: ServiceContext, attempt: Attempt, cause: BaseException) -> OrderRow:
    """Read the order by its id, because a commit without an answer may have happened.

    An order that is not found may still be on its way, so the hold stays and the reconciliation ends it.
    """
    try:
        order = await order_by_id(context.database, attempt.order_id)
    except DATABASE_AWAY:
        order = None
    if order is None:
        raise OutcomeUnknown from cause
    return order


async def _existing(context: ServiceContext, attempt: Attempt, answer: HoldAnswer) -> OrderRow:
    """Return the order that was there already. Raises NotOnSale where the event did not accept a new one."""
    order = await reading(order_by_id(context.database, attempt.order_id))
    if order is None:
        await _release(context, attempt, answer)
        context.sales.forget(attempt.sale.id)
        raise NotOnSale
    claims = await reading(claims_of_orders(context.database, [order.id]))
    live = {claim.place for claim in claims if claim.state != ClaimState.ENDED}
    surplus = [place for place in answer.places if place not in live]
    if surplus:
        await context.seats.release(attempt.sale.id, attempt.order_id, surplus)
    return order


async def _release(context: ServiceContext, attempt: Attempt, answer: HoldAnswer) -> None:
    await context.seats.release(attempt.sale.id, attempt.order_id, answer.places)


def _check_replay(attempt: Attempt, answer: HoldAnswer) -> None:
    """Check that an earlier hold of this order id is for the same selection."""
    if answer.outcome is not Outcome.REPLAY:
        return
    selection = attempt.request.selection
    same = len(answer.places) == quantity_of(selection)
    if isinstance(selection, ExactSeats):
        same = sorted(answer.places) == sorted(selection.places)
    if not same:
        raise IdempotencyMismatch


def _new_order(context: ServiceContext, attempt: Attempt, places: tuple[int, ...]) -> NewOrder:
    claims = _claims(attempt, places)
    subtotal = sum(claim.price_minor for claim in claims)
    fees = sum(claim.fee_minor for claim in claims)
    now, buyer = context.now(), attempt.viewer
    row = OrderRow(
        id=attempt.order_id,
        reference=reference_of(attempt.order_id),
        event_id=attempt.sale.id,
        user_id=buyer.user_id,
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
        updated_at=now,
    )
    limits = attempt.limits
    return NewOrder(
        row, buyer.subject, buyer.email, buyer.name, claims, limits.keys, limits.unpaid_per_network
    )


def _claims(attempt: Attempt, places: tuple[int, ...]) -> tuple[ClaimRow, ...]:
    levels = [(place, attempt.seat_map.price_level_of(place)) for place in sorted(places)]
    return tuple(
        ClaimRow(
            attempt.order_id,
            attempt.sale.id,
            place,
            ClaimState.HELD,
            level.number,
            level.price.amount,
            level.fee.amount,
        )
        for place, level in levels
    )
