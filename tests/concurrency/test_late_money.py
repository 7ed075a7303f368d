"""Money that arrives after a deadline: the seat is the payer's or nobody pays, and another may want it."""

import pytest

from domain.errors import SeatsGone
from payments.webhooks import WebhookEvent
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.expiry import expire_paying
from services.ordering.outbox import deliver
from services.ordering.pay import pay
from services.ordering.release import release
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from services.ordering.webhook import handle_webhook
from tests.concurrency.races import faults, kept_at_stripe, until_quiet
from tests.concurrency.test_ends_of_orders import CARD, Contexts, authorised, state_of
from tests.events import ManualClock, buyer

BOB = buyer("bob")


def authorised_event(context: ServiceContext, intent_id: str) -> WebhookEvent:
    return WebhookEvent("evt_late", "payment_intent.amount_capturable_updated", intent_id, context.now())


async def test_seat_is_the_payers_when_the_webhook_comes_after_the_deadline_and_another_wants_it(
    contexts: Contexts, clock: ManualClock
) -> None:
    order, intent_id = await authorised(contexts[0])
    await deliver(contexts[0])
    clock.advance(seconds=2000)

    with pytest.raises(SeatsGone):
        await reserve(contexts[1], BOB, ReserveRequest(order.event_id, ExactSeats((0,))))
    await handle_webhook(contexts[1], authorised_event(contexts[1], intent_id))

    await until_quiet(contexts)
    assert await state_of(contexts[0], order.id) == "BOOKED"
    assert await faults(contexts[0], order.event_id) == []


async def test_order_is_booked_when_its_deadline_passes_between_authorisation_and_webhook(
    contexts: Contexts, clock: ManualClock
) -> None:
    order, intent_id = await authorised(contexts[0])
    clock.advance(seconds=2000)

    await expire_paying(contexts[0])
    await handle_webhook(contexts[1], authorised_event(contexts[1], intent_id))

    await until_quiet(contexts)
    assert await state_of(contexts[0], order.id) == "BOOKED"
    assert await kept_at_stripe(contexts[0], order.id) == order.total_minor


async def test_money_goes_back_when_it_was_taken_by_hand_after_the_seat_was_sold_to_another(
    contexts: Contexts,
) -> None:
    order, intent_id = await authorised(contexts[0])
    await contexts[0].database.fetch(
        "WITH gone AS (UPDATE claims SET state = 'ENDED' WHERE order_id = $1)"
        " UPDATE orders SET state = 'EXPIRED' WHERE id = $1",
        order.id,
    )
    await contexts[0].seats.release(order.event_id, order.id)
    other = await reserve(contexts[1], BOB, ReserveRequest(order.event_id, ExactSeats((0, 1))))
    await pay(contexts[1], BOB, other.id, CARD)
    await contexts[0].gateway.capture(intent_id, idempotency_key=f"dashboard {intent_id}")

    await handle_webhook(contexts[0], authorised_event(contexts[0], intent_id))

    await until_quiet(contexts)
    assert await state_of(contexts[0], other.id) == "BOOKED"
    assert await state_of(contexts[0], order.id) == "EXPIRED"
    assert await kept_at_stripe(contexts[0], order.id) == 0
    assert await faults(contexts[0], order.event_id) == []


async def test_webhook_books_nothing_when_it_comes_after_a_release(contexts: Contexts) -> None:
    order, intent_id = await authorised(contexts[0])
    event = authorised_event(contexts[1], intent_id)
    await release(contexts[0], buyer("ann"), order.id)

    await handle_webhook(contexts[1], event)

    await until_quiet(contexts)
    assert await state_of(contexts[0], order.id) == "CANCELLED"
    assert await kept_at_stripe(contexts[0], order.id) == 0
    assert await faults(contexts[0], order.event_id) == []
