"""Reserve: hold the places in Redis, then write the order with its claims to PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from db.queries.orders import OrderRow, order_by_id
from domain.errors import IdempotencyMismatch, NotOnSale
from domain.idempotency import checked_key
from domain.ids import order_id_of
from domain.states import is_selling
from domain.viewer import Viewer
from kit.ids import new_uuid
from kit.log_context import bind
from reservations.outcomes import Outcome
from services.context import ServiceContext, reading
from services.identity.authorisation import buyer_of
from services.metrics import measured
from services.ordering.attempt import Attempt, ReserveRequest
from services.ordering.hold import error_of, hold, refuse
from services.ordering.hold_pauses import pause_error, remembered_pause
from services.ordering.limits import limits_of
from services.ordering.order_total import check_sum
from services.ordering.place_order import place_order
from services.ordering.selection import check_selection

KEY_LIFETIME = timedelta(hours=24)
LONGEST_KEY = 255
_TRIES = 5
_HELD = (Outcome.HELD, Outcome.REPLAY)


@measured("reserve")
async def reserve(
    context: ServiceContext, viewer: Viewer | None, request: ReserveRequest, *, address: str = ""
) -> OrderRow:
    """Hold all the places or none, create the order, and start its deadline.

    `address` is the client's; its network may hold a limited number of unpaid tickets.

    Raises:
        DomainError: With the reason; SeatsGone carries the taken places and alternatives.
        OutcomeUnknown: The commit was cut; a retry with the same idempotency key finds the outcome.
    """
    buyer = buyer_of(viewer)
    attempt = await _new_attempt(context, buyer, request, address)
    bind(order_id=attempt.order_id)
    if attempt.sale.waiting_room_enabled:
        # A retry finds its order even after the booking has ended the admission.
        earlier = await _earlier(context, attempt)
        if earlier is not None and not _is_outdated(context, attempt, earlier):
            return earlier
        admission_id = await context.admissions.check(attempt.sale.id, buyer.user_id, request.queue_token)
        attempt = replace(attempt, admission_id=admission_id)
    if (until := remembered_pause(context, attempt)) is not None:
        earlier = await _earlier(context, attempt)
        if earlier is not None and not _is_outdated(context, attempt, earlier):
            return earlier
        raise pause_error(context, attempt, until)
    # A client that disconnects between the hold and the commit must not leave a hold without an order.
    return await asyncio.shield(_attempt(context, attempt))


async def _new_attempt(
    context: ServiceContext, buyer: Viewer, request: ReserveRequest, address: str
) -> Attempt:
    """Check a request against the terms of the sale, and give it an order id."""
    key = checked_key(request.idempotency_key)
    sale = await context.sale(request.event_id)
    if not is_selling(sale, context.now()):
        raise NotOnSale
    seat_map = await context.seat_map(sale.seat_map_version)
    check_selection(request.selection, seat_map, sale.max_tickets_per_order)
    check_sum(request.selection, seat_map)
    order_id = new_uuid() if key is None else order_id_of(buyer.user_id, key)
    limits = limits_of(buyer, sale.organiser_id, sale.max_tickets_per_person, context.network_limit, address)
    return Attempt(order_id, buyer, request, sale, seat_map, None, limits)


async def _attempt(context: ServiceContext, attempt: Attempt) -> OrderRow:
    while True:
        order = await _hold_and_place(context, attempt)
        if not _is_outdated(context, attempt, order):
            return order
        key = attempt.request.idempotency_key or ""
        attempt = replace(attempt, order_id=order_id_of(attempt.viewer.user_id, key, order.id))


async def _hold_and_place(context: ServiceContext, attempt: Attempt) -> OrderRow:
    """Return the new order, or the one that the idempotency key made before."""
    for _ in range(_TRIES):
        answer = await hold(context, attempt)
        order = None if answer.outcome is Outcome.HELD else await _earlier(context, attempt)
        if order is None and answer.outcome not in _HELD:
            answer = await refuse(context, attempt, answer)
            if answer.outcome not in _HELD:
                break
        # Where a place was taken in PostgreSQL, Redis now shows it: the next try may hold other places.
        order = order or await place_order(context, attempt, answer)
        if order is not None:
            return order
    raise await error_of(context, attempt, answer)


def _is_outdated(context: ServiceContext, attempt: Attempt, order: OrderRow) -> bool:
    """Return whether the key's order is so old that the key is free again.

    Raises:
        IdempotencyMismatch: The order is of another input.
    """
    if order.created_at + KEY_LIFETIME < context.now():
        return True
    if order.input_hash != attempt.request.input_hash():
        raise IdempotencyMismatch
    return False


async def _earlier(context: ServiceContext, attempt: Attempt) -> OrderRow | None:
    """Return the order that this idempotency key made before, if any."""
    if attempt.request.idempotency_key is None:
        return None
    return await reading(order_by_id(context.database, attempt.order_id))
