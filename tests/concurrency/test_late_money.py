"""Money that arrives after a deadline: the seat is the payer's or nobody pays, whoever wants it meanwhile."""

import pytest

from domain.errors import SeatsGone
from payments.webhooks import WebhookEvent
from services.context import Office
from services.ordering.expiry import expire_paying, release
from services.ordering.outbox import deliver
from services.ordering.pay import pay
from services.ordering.reserve import ReserveRequest, reserve
from services.ordering.selection import ExactSeats
from services.ordering.settle import handle_webhook
from tests.concurrency.races import faults, kept_at_stripe, until_quiet
from tests.concurrency.test_ends_of_orders import CARD, Offices, authorised, state_of
from tests.houses import ManualClock, buyer

BOB = buyer("bob")


def authorised_event(office: Office, intent_id: str) -> WebhookEvent:
    return WebhookEvent("evt_late", "payment_intent.amount_capturable_updated", intent_id, office.now())


async def test_seat_is_the_payers_when_the_webhook_comes_after_the_deadline_and_another_wants_it(
    offices: Offices, clock: ManualClock
) -> None:
    order, intent_id = await authorised(offices[0])
    await deliver(offices[0])
    clock.advance(seconds=2000)

    with pytest.raises(SeatsGone):
        await reserve(offices[1], BOB, ReserveRequest(order.event_id, ExactSeats((0,))))
    await handle_webhook(offices[1], authorised_event(offices[1], intent_id))

    await until_quiet(offices)
    assert await state_of(offices[0], order.id) == "BOOKED"
    assert await faults(offices[0], order.event_id) == []


async def test_order_is_booked_when_its_deadline_passes_between_authorisation_and_webhook(
    offices: Offices, clock: ManualClock
) -> None:
    order, intent_id = await authorised(offices[0])
    clock.advance(seconds=2000)

    await expire_paying(offices[0])
    await handle_webhook(offices[1], authorised_event(offices[1], intent_id))

    await until_quiet(offices)
    assert await state_of(offices[0], order.id) == "BOOKED"
    assert await kept_at_stripe(offices[0], order.id) == order.total_minor


async def test_money_goes_back_when_it_was_taken_by_hand_after_the_seat_was_sold_to_another(
    offices: Offices,
) -> None:
    order, intent_id = await authorised(offices[0])
    await offices[0].database.fetch(
        "WITH gone AS (UPDATE claims SET state = 'ENDED' WHERE order_id = $1)"
        " UPDATE orders SET state = 'EXPIRED' WHERE id = $1",
        order.id,
    )
    await offices[0].seats.give_back(order.event_id, order.id)
    other = await reserve(offices[1], BOB, ReserveRequest(order.event_id, ExactSeats((0, 1))))
    await pay(offices[1], BOB, other.id, CARD)
    await offices[0].gateway.capture(intent_id, idempotency_key=f"dashboard {intent_id}")

    await handle_webhook(offices[0], authorised_event(offices[0], intent_id))

    await until_quiet(offices)
    assert await state_of(offices[0], other.id) == "BOOKED"
    assert await state_of(offices[0], order.id) == "EXPIRED"
    assert await kept_at_stripe(offices[0], order.id) == 0
    assert await faults(offices[0], order.event_id) == []


async def test_webhook_books_nothing_when_it_comes_after_a_release(offices: Offices) -> None:
    order, intent_id = await authorised(offices[0])
    event = authorised_event(offices[1], intent_id)
    await release(offices[0], buyer("ann"), order.id)

    await handle_webhook(offices[1], event)

    await until_quiet(offices)
    assert await state_of(offices[0], order.id) == "CANCELLED"
    assert await kept_at_stripe(offices[0], order.id) == 0
    assert await faults(offices[0], order.event_id) == []
