"""A booking that PostgreSQL has lost is written again from Stripe before its seats are freed, or refunded."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from db.queries.lost_orders import promotion_is_unsettled
from db.queries.orders import OrderRow, claims_of_orders, order_by_id
from db.queries.payments import payment_of_order
from domain.errors import SeatsGone, Unavailable
from domain.ids import Kind, public_id
from payments.gateway import IntentStatus
from payments.stripe_gateway import StripeGateway
from services.context import ServiceContext
from services.doctor.examine import examine
from services.ordering import reconcile
from services.ordering.attempt import ReserveRequest
from services.ordering.expiry import expire_lapsed
from services.ordering.lost_orders import recover_order, settle_promotion
from services.ordering.pay import pay
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from tests.events import ManualClock
from tests.integration.ordering.payments import (
    ANN,
    BOB,
    drain,
    held,
    intents_made,
    kept_at_stripe,
    seats,
    state,
)
from workers.reconciliation import Reconciliation

CARD = "pm_card_visa"


async def booked(context: ServiceContext) -> OrderRow:
    order = await held(context)
    await pay(context, ANN, order.id, CARD)
    await drain(context)
    found = await order_by_id(context.database, order.id)
    assert found is not None and found.state == "BOOKED"
    return found


async def lose(context: ServiceContext, order: OrderRow) -> None:
    """Delete what an asynchronous standby did not have: the order, its claims, its payment, its buyer."""
    for statement in (
        "DELETE FROM card_attempts WHERE order_id = $1",
        "DELETE FROM payments WHERE order_id = $1",
        "DELETE FROM claims WHERE order_id = $1",
        "DELETE FROM orders WHERE id = $1",
    ):
        await context.database.fetch(statement, order.id)
    await context.database.fetch("DELETE FROM users WHERE id = $1", order.user_id)


async def lose_payment(context: ServiceContext, order: OrderRow) -> None:
    """Set the order back to what it was before it was paid."""
    await context.database.fetch("DELETE FROM card_attempts WHERE order_id = $1", order.id)
    await context.database.fetch("DELETE FROM payments WHERE order_id = $1", order.id)
    await context.database.fetch("UPDATE claims SET state = 'HELD' WHERE order_id = $1", order.id)
    await context.database.fetch(
        "UPDATE orders SET state = 'RESERVED', expires_at = $2, extended = false WHERE id = $1",
        order.id,
        order.created_at + context.hold_time,
    )


async def promote(context: ServiceContext) -> None:
    """Make the database look like a standby that was promoted: its marks are of another timeline."""
    await settle_promotion(context)
    assert not await promotion_is_unsettled(context.database)
    await context.database.fetch("UPDATE sweep_marks SET name = 'timeline 0' WHERE name LIKE 'timeline %'")
    assert await promotion_is_unsettled(context.database)


async def reconciled(context: ServiceContext, rounds: int = 3) -> None:
    loop = Reconciliation(context)
    for _ in range(rounds):
        await loop()
    await drain(context)


async def tickets(context: ServiceContext, order_id: UUID) -> list[UUID]:
    return [claim.ticket_id for claim in await claims_of_orders(context.database, [order_id])]


async def test_booking_is_written_again_with_its_tickets_when_the_database_has_lost_it(
    context: ServiceContext,
) -> None:
    order = await booked(context)
    before = await tickets(context, order.id)
    await lose(context, order)

    await reconciled(context)

    after = await order_by_id(context.database, order.id)
    assert after is not None
    kept = (order.reference, order.user_id, order.total_minor, order.event_id)
    assert (after.reference, after.user_id, after.total_minor, after.event_id) == kept
    assert await state(context, order.id) == ("BOOKED", "CAPTURED", order.total_minor, 0)
    assert await tickets(context, order.id) == before
    assert await seats(context, order) == b"BBAA"
    with pytest.raises(SeatsGone):
        await reserve(context, BOB, ReserveRequest(order.event_id, ExactSeats((0,))))


async def test_paid_seat_is_sold_again_when_stripe_is_not_asked(
    context: ServiceContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: reconciliation as it was frees the booking, and Stripe keeps both buyers' money."""
    order = await booked(context)
    intent = await intent_id(context, order)
    await lose(context, order)

    async def asks_nobody(_: ServiceContext, holds: dict[UUID, bool]) -> set[UUID]:
        return set(holds)

    monkeypatch.setattr(reconcile, "holds_to_free", asks_nobody)
    await reconciled(context)

    second = await reserve(context, BOB, ReserveRequest(order.event_id, ExactSeats((0, 1))))
    await pay(context, BOB, second.id, CARD)
    await drain(context)
    assert await seats(context, order) == b"BBAA"
    assert (await context.gateway.retrieve(intent)).kept_minor == order.total_minor
    assert await kept_at_stripe(context, second.id) == order.total_minor


async def intent_id(context: ServiceContext, order: OrderRow) -> str:
    payment = await payment_of_order(context.database, order.id)
    assert payment is not None and payment.intent_id is not None
    return payment.intent_id


async def test_buyer_is_refunded_when_the_places_were_sold_again(context: ServiceContext) -> None:
    order = await booked(context)
    intent = await intent_id(context, order)
    await lose(context, order)
    await context.seats.release(order.event_id, order.id)
    second = await reserve(context, BOB, ReserveRequest(order.event_id, ExactSeats((1,))))

    assert await recover_order(context, await context.gateway.retrieve(intent))
    await drain(context)

    assert await state(context, order.id) == ("CANCELLED", "REFUNDED", order.total_minor, order.total_minor)
    assert (await context.gateway.retrieve(intent)).kept_minor == 0
    assert (await state(context, second.id))[0] == "RESERVED"


async def test_buyer_is_refunded_when_the_intent_says_too_little(
    context: ServiceContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ordering.pay.intent_facts", lambda *_: {})
    order = await booked(context)
    intent = await intent_id(context, order)
    await lose(context, order)

    await reconciled(context, rounds=5)

    assert (await context.gateway.retrieve(intent)).kept_minor == 0
    assert await order_by_id(context.database, order.id) is None
    assert await seats(context, order) == b"AAAA"


async def test_nothing_is_freed_when_stripe_does_not_answer(context: ServiceContext) -> None:
    order = await booked(context)
    await lose(context, order)
    away = StripeGateway("sk_test_local", api_base="http://127.0.0.1:9")
    loop = Reconciliation(replace(context, gateway=away))

    await loop()
    for _ in range(3):
        with pytest.raises(Unavailable):
            await loop()

    assert await seats(context, order) == b"BBAA"
    await away.close()


async def test_open_payment_is_cancelled_when_the_hold_of_a_lost_order_is_freed(
    context: ServiceContext,
) -> None:
    order = await held(context)
    await pay(context, ANN, order.id)
    intent = await intent_id(context, order)
    await lose(context, order)

    await reconciled(context)

    assert await seats(context, order) == b"AAAA"
    assert (await context.gateway.retrieve(intent)).status is IntentStatus.CANCELLED
    assert await order_by_id(context.database, order.id) is None


async def test_hold_without_an_order_is_freed_when_stripe_knows_nothing_of_it(
    context: ServiceContext,
) -> None:
    order = await held(context)
    await lose(context, order)

    await reconciled(context)

    assert await seats(context, order) == b"AAAA"
    assert await intents_made(context, order) == 0


async def test_payment_is_found_when_only_the_booking_was_lost(context: ServiceContext) -> None:
    order = await booked(context)
    await lose_payment(context, order)

    await reconciled(context)

    assert await state(context, order.id) == ("BOOKED", "CAPTURED", order.total_minor, 0)
    assert await seats(context, order) == b"BBAA"


async def test_unpaid_order_does_not_end_when_a_promotion_is_not_settled(
    context: ServiceContext, clock: ManualClock
) -> None:
    order = await booked(context)
    await promote(context)
    await lose_payment(context, order)
    clock.advance(seconds=481)

    assert await expire_lapsed(context) == 0
    assert await settle_promotion(context) == 1
    await drain(context)
    assert await expire_lapsed(context) == 0

    assert await state(context, order.id) == ("BOOKED", "CAPTURED", order.total_minor, 0)
    assert not await promotion_is_unsettled(context.database)


async def test_booking_is_lost_when_an_order_ends_before_stripe_was_asked(
    context: ServiceContext, clock: ManualClock
) -> None:
    """The control: without the mark of the promotion the paid order ends at its deadline."""
    order = await booked(context)
    await lose_payment(context, order)
    clock.advance(seconds=481)

    assert await expire_lapsed(context) == 1
    await drain(context)

    assert await seats(context, order) == b"AAAA"


async def test_unpaid_order_ends_when_the_promotion_is_settled(
    context: ServiceContext, clock: ManualClock
) -> None:
    order = await held(context)
    await promote(context)
    clock.advance(seconds=481)
    assert await expire_lapsed(context) == 0

    assert await settle_promotion(context) == 0

    assert await expire_lapsed(context) == 1
    assert (await state(context, order.id))[0] == "EXPIRED"


async def test_lost_bookings_are_written_again_when_redis_is_empty_too(context: ServiceContext) -> None:
    order = await booked(context)
    await promote(context)
    await lose(context, order)
    version = await context.seats.version(order.event_id)
    assert version is not None
    await context.seats.build(order.event_id, replacing=version[0])
    assert await seats(context, order) == b"AAAA"

    assert await settle_promotion(context) == 1
    await drain(context)

    assert await state(context, order.id) == ("BOOKED", "CAPTURED", order.total_minor, 0)
    assert await seats(context, order) == b"BBAA"


async def test_doctor_writes_a_lost_order_again_when_it_repairs(context: ServiceContext) -> None:
    order = await booked(context)
    await lose(context, order)
    found = [
        one
        for one in await examine(context, None, timedelta(hours=1))
        if one.subject == public_id(Kind.ORDER, order.id) and one.kind.startswith("unknown order")
    ]

    assert len(found) == 1 and found[0].repair is not None
    await found[0].repair(context)
    await drain(context)

    assert await state(context, order.id) == ("BOOKED", "CAPTURED", order.total_minor, 0)


async def test_intent_is_left_alone_when_its_event_is_not_ours(context: ServiceContext) -> None:
    order = await booked(context)
    intent = await context.gateway.retrieve(await intent_id(context, order))
    await lose(context, order)
    other = replace(intent, metadata={**intent.metadata, "event_id": str(UUID(int=1))})

    assert not await recover_order(context, other)

    assert (await context.gateway.retrieve(intent.id)).kept_minor == order.total_minor
