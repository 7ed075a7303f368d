"""Refund: tickets end and their seats are on sale again at once; the outbox sends the money."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from db.queries.disputes import disputes_of_payment
from db.queries.orders import (
    ClaimRow,
    OrderRow,
    claims_of_orders,
    end_claims,
    lock_order,
    order_by_id,
    order_by_reference,
    set_order_state,
    touch_order,
)
from db.queries.outbox import write_task
from db.queries.payments import payment_of_order
from db.queries.refunds import RefundRow, refunds_of_payment, write_refund
from db.queries.sales import sale_by_event
from db.session import DATABASE_AWAY, Connection
from domain.errors import InvalidInput, NotFound, OrderNotPayable, Unavailable
from domain.idempotency import Operation, RequestKey, request_key
from domain.outbox import Topic
from domain.references import reference_beginning
from domain.states import ClaimState, OrderState, RefundState
from domain.text_input import paragraphs
from domain.viewer import Viewer
from kit.ids import new_uuid
from kit.log_context import bind
from services.context import ServiceContext, reading
from services.idempotency import record_request
from services.identity.authorisation import organiser_of
from services.metrics import measured
from services.ordering.reversals import left_minor

_LONGEST_REASON = 500


@measured("refund")
async def refund(
    context: ServiceContext,
    viewer: Viewer | None,
    order: UUID | str,
    ticket_ids: Sequence[UUID] | None = None,
    reason: str | None = None,
    idempotency_key: str | None = None,
) -> OrderRow:
    """Refund a booked order, or some of its tickets, with their fees; with a key that was used, nothing more.

    `order` is the order's id or its reference.

    Raises:
        Unauthenticated, Forbidden: As `organiser_of`.
        NotFound: There is no such order, or it is for another organiser's event.
        InvalidInput: A ticket is not a live one of this order.
        OrderNotPayable: The order is not booked.
        IdempotencyMismatch: The key was used with another input.
    """
    organiser = organiser_of(viewer)
    why = None if reason is None else paragraphs(reason, "reason", most=_LONGEST_REASON)
    found = await _order(context, order)
    if found is None or not await _organises(context, organiser, found.event_id):
        raise NotFound("There is no such order.")
    bind(order_id=found.id)
    wanted = (str(found.id), None if ticket_ids is None else sorted(map(str, ticket_ids)), why)
    request = request_key(organiser.user_id, Operation.REFUND_ORDER, idempotency_key, wanted)
    return await _refund(context, found.id, ticket_ids, why, request)


async def _order(context: ServiceContext, order: UUID | str) -> OrderRow | None:
    if isinstance(order, UUID):
        return await reading(order_by_id(context.database, order))
    reference = reference_beginning(order)
    return None if reference is None else await reading(order_by_reference(context.database, reference))


async def _organises(context: ServiceContext, organiser: Viewer, event_id: UUID) -> bool:
    sale = await reading(sale_by_event(context.database, event_id))
    return sale is not None and sale.organiser_id == organiser.user_id


async def refund_whole(context: ServiceContext, order: OrderRow, reason: str) -> None:
    """Refund the rest of a booked order; an order that is not booked any more stays as it is."""
    try:
        await _refund(context, order.id, None, reason)
    except OrderNotPayable:
        return


async def _refund(
    context: ServiceContext,
    order_id: UUID,
    ticket_ids: Sequence[UUID] | None,
    reason: str | None,
    request: RequestKey | None = None,
) -> OrderRow:
    try:
        async with context.database.transaction() as connection:
            earlier = await record_request(connection, request, order_id, context.now())
            order = await lock_order(connection, order_id)
            if earlier is None:
                if order is None or order.state != OrderState.BOOKED:
                    raise OrderNotPayable("Only a booked order can be refunded.")
                await _end_tickets(context, connection, order, ticket_ids, reason)
            after = await order_by_id(connection, order_id)
            assert after is not None, "orders are never deleted"
            return after
    except DATABASE_AWAY as error:
        raise Unavailable from error


async def _end_tickets(
    context: ServiceContext,
    connection: Connection,
    order: OrderRow,
    ticket_ids: Sequence[UUID] | None,
    reason: str | None,
) -> None:
    claims = await claims_of_orders(connection, [order.id])
    live = {claim.ticket_id: claim for claim in claims if claim.state == ClaimState.BOOKED}
    chosen = _chosen(live, ticket_ids)
    now = context.now()
    # Before the refund's task: an order's tasks run in order, and the seats must not wait for the gateway.
    await write_task(connection, Topic.MIRROR_ORDER, order.id, {}, now)
    refund = await _decide(connection, order, chosen, reason, now)
    places = [claim.place for claim in chosen]
    await end_claims(connection, [order.id], places, None if refund is None else refund.id)
    if len(chosen) == len(live):
        await set_order_state(connection, order.id, OrderState.REFUNDED, leaving=[OrderState.BOOKED], now=now)
    else:
        await touch_order(connection, order.id, now)


async def _decide(
    connection: Connection, order: OrderRow, claims: Sequence[ClaimRow], reason: str | None, now: datetime
) -> RefundRow | None:
    """Write the refund of these claims and the task that sends it; None where they cost nothing.

    It gives back what the tickets cost, or what the payment has left.
    """
    worth = sum(claim.price_minor + claim.fee_minor for claim in claims)
    payment = await payment_of_order(connection, order.id)
    if payment is None or worth == 0:
        return None
    refunds = await refunds_of_payment(connection, payment.id)
    left = left_minor(payment, refunds, await disputes_of_payment(connection, payment.id))
    decided = RefundRow(
        new_uuid(),
        payment.id,
        min(worth, left),
        reason,
        RefundState.DECIDED,
        None,
        tickets_minor=worth,
    )
    await write_refund(connection, decided, now)
    await write_task(connection, Topic.SEND_REFUND, order.id, {"refund_id": str(decided.id)}, now)
    return decided


def _chosen(live: dict[UUID, ClaimRow], ticket_ids: Sequence[UUID] | None) -> list[ClaimRow]:
    if ticket_ids is None:
        return list(live.values())
    if not ticket_ids:
        raise InvalidInput("ticketIds: name at least one ticket, or leave it out for all.")
    if len(set(ticket_ids)) != len(ticket_ids):
        raise InvalidInput("ticketIds: the same ticket is named twice.")
    if any(ticket_id not in live for ticket_id in ticket_ids):
        raise InvalidInput("ticketIds: not a live ticket of this order.")
    return [live[ticket_id] for ticket_id in ticket_ids]
