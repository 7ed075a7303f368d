"""What the tests of paying and refunding share."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from db.queries.orders import OrderRow, order_by_id
from db.queries.payments import payment_of_order
from payments.gateway import Declined
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.outbox import deliver
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from tests.events import buyer, open_event

ANN, BOB = buyer("ann"), buyer("bob")


async def held(
    context: ServiceContext, rows: int = 4, places: tuple[int, ...] = (0, 1), **event: int
) -> OrderRow:
    event_id = await open_event(context.database, rows=[rows], **event)
    return await reserve(context, ANN, ReserveRequest(event_id, ExactSeats(places)))


async def drain(context: ServiceContext) -> None:
    """Deliver until nothing is due."""
    async with asyncio.timeout(20):
        while await context.database.fetchval("SELECT count(*) FROM outbox"):
            await deliver(context)


async def state(context: ServiceContext, order_id: UUID) -> tuple[str, str | None, int, int]:
    """Order state, payment state, captured and refunded."""
    order = await order_by_id(context.database, order_id)
    payment = await payment_of_order(context.database, order_id)
    assert order is not None
    if payment is None:
        return order.state, None, 0, 0
    return order.state, payment.state, payment.captured_minor, payment.refunded_minor


async def kept_at_stripe(context: ServiceContext, order_id: UUID) -> int:
    """What Stripe has captured and not refunded."""
    payment = await payment_of_order(context.database, order_id)
    assert payment is not None and payment.intent_id is not None
    return (await context.gateway.retrieve(payment.intent_id)).kept_minor


async def seats(context: ServiceContext, order: OrderRow) -> bytes:
    return (await context.seats.snapshot(order.event_id)).places


async def intents_made(context: ServiceContext, order: OrderRow) -> int:
    """How many intents Stripe has for an order."""
    intents = await context.gateway.recent_intents(order.created_at - timedelta(minutes=1))
    return sum(intent.order_id == order.id for intent in intents)


async def confirm_in_browser(context: ServiceContext, order: OrderRow, card: str) -> str:
    """Confirm the order's intent as Stripe.js does; returns the intent's id."""
    payment = await payment_of_order(context.database, order.id)
    assert payment is not None and payment.intent_id is not None
    with suppress(Declined):
        await context.gateway.confirm(
            payment.intent_id, card, idempotency_key=f"browser:{order.id}", return_url="http://localhost/"
        )
    return payment.intent_id
