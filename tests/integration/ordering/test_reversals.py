"""Money that goes back at Stripe: refunds by hand and disputes show here, and ours give back what is left."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from db.queries.disputes import disputes_of_payment
from db.queries.orders import OrderRow
from db.queries.payments import PaymentRow, payment_of_order
from db.queries.refunds import refunds_of_payment
from devservices.local_stripe import LocalStripe
from payments.webhooks import WebhookEvent
from services.catalogue.cancel_event import cancel_event
from services.context import ServiceContext
from services.ordering.outbox import deliver
from services.ordering.pay import pay
from services.ordering.refund import refund
from services.ordering.reversals import read_reversals
from services.ordering.settle import apply_intent
from services.ordering.sweeps import sweep_reversals
from services.ordering.webhook import handle_webhook
from tests.events import ORGANISER, ManualClock
from tests.integration.ordering.payments import (
    ANN,
    confirm_in_browser,
    drain,
    held,
    kept_at_stripe,
    seats,
    state,
)
from tests.local_stripe import Control


@pytest.fixture
async def control(stripe_server: LocalStripe) -> AsyncIterator[Control]:
    control = Control(stripe_server.url())
    yield control
    await control.clear_faults()
    await control.client.aclose()


async def booked(context: ServiceContext, card: str = "pm_card_visa") -> OrderRow:
    """Two seats of 5,250 each, paid and captured."""
    order = await held(context)
    await pay(context, ANN, order.id, card)
    await drain(context)
    return order


async def payment_of(context: ServiceContext, order: OrderRow) -> PaymentRow:
    payment = await payment_of_order(context.database, order.id)
    assert payment is not None
    return payment


async def intent_of(context: ServiceContext, order: OrderRow) -> str:
    return str((await payment_of(context, order)).intent_id)


async def refunds(context: ServiceContext, order: OrderRow) -> list[tuple[int, str, bool, int | None]]:
    """Amount, state, whether it was made by hand, and the price of its tickets."""
    rows = await refunds_of_payment(context.database, (await payment_of(context, order)).id)
    return [(row.amount_minor, row.state, row.by_hand, row.tickets_minor) for row in rows]


async def received(context: ServiceContext, order: OrderRow, kind: str, number: int = 1) -> None:
    """A webhook of this type arrives."""
    event = WebhookEvent(
        f"evt_{order.id}_{kind}_{number}", kind, await intent_of(context, order), context.now()
    )
    assert await handle_webhook(context, event)


async def dispute_states(context: ServiceContext, order: OrderRow) -> list[str]:
    rows = await disputes_of_payment(context.database, (await payment_of(context, order)).id)
    return [row.state for row in rows]


async def test_order_is_refunded_and_its_seats_are_free_when_all_was_refunded_by_hand(
    context: ServiceContext, control: Control
) -> None:
    order = await booked(context)
    await control.refund(await intent_of(context, order), reason="requested_by_customer")

    for number in range(3):
        await received(context, order, "charge.refunded", number)
    await drain(context)

    assert await state(context, order.id) == ("REFUNDED", "REFUNDED", 10_500, 10_500)
    assert await refunds(context, order) == [(10_500, "SENT", True, 10_500)]
    assert await seats(context, order) == b"AAAA"


async def test_seats_stay_when_a_part_was_refunded_by_hand(context: ServiceContext, control: Control) -> None:
    order = await booked(context)
    await control.refund(await intent_of(context, order), 1000)

    await received(context, order, "refund.created")
    await received(context, order, "charge.refunded")
    await drain(context)

    assert await state(context, order.id) == ("BOOKED", "CAPTURED", 10_500, 1000)
    assert await refunds(context, order) == [(1000, "SENT", True, 0)]
    assert await seats(context, order) == b"BBAA"


async def test_ours_give_back_what_is_left_when_a_part_was_refunded_by_hand(
    context: ServiceContext, control: Control
) -> None:
    order = await booked(context)
    await control.refund(await intent_of(context, order), 8000)
    await received(context, order, "charge.refunded")

    await refund(context, ORGANISER, order.id)
    await drain(context)

    assert await state(context, order.id) == ("REFUNDED", "REFUNDED", 10_500, 10_500)
    assert await refunds(context, order) == [(8000, "SENT", True, 0), (2500, "SENT", False, 10_500)]
    assert await kept_at_stripe(context, order.id) == 0


@pytest.mark.parametrize(("by_hand", "ours"), [(10_500, 0), (8000, 2500)])
async def test_decided_refund_is_lowered_when_money_went_back_by_hand_and_nothing_announced(
    context: ServiceContext, control: Control, by_hand: int, ours: int
) -> None:
    order = await booked(context)
    await refund(context, ORGANISER, order.id)
    await control.refund(await intent_of(context, order), by_hand)

    await drain(context)

    assert await state(context, order.id) == ("REFUNDED", "REFUNDED", 10_500, 10_500)
    assert [row[:2] for row in await refunds(context, order)] == [(ours, "SENT"), (by_hand, "SENT")]
    assert await kept_at_stripe(context, order.id) == 0


async def test_every_order_ends_when_an_event_is_cancelled_after_refunds_by_hand(
    context: ServiceContext, control: Control
) -> None:
    order = await booked(context)
    await control.refund(await intent_of(context, order), 500)

    await cancel_event(context, ORGANISER, order.event_id)
    await drain(context)

    assert await state(context, order.id) == ("REFUNDED", "REFUNDED", 10_500, 10_500)
    assert await kept_at_stripe(context, order.id) == 0


async def test_refund_by_hand_shows_within_a_minute_when_no_webhook_comes(
    context: ServiceContext, control: Control, clock: ManualClock
) -> None:
    order = await booked(context)
    await sweep_reversals(context)
    await control.refund(await intent_of(context, order), 1000)

    await sweep_reversals(context)
    assert await refunds(context, order) == []  # its webhook has time yet
    clock.advance(seconds=40)
    await sweep_reversals(context)
    clock.advance(seconds=40)
    again = await sweep_reversals(context)

    assert await refunds(context, order) == [(1000, "SENT", True, 0)]
    assert again == 0


async def test_order_is_booked_again_at_its_price_when_a_refund_by_hand_fails(
    context: ServiceContext, control: Control
) -> None:
    order = await booked(context, "pm_card_refundFail")
    await control.refund(await intent_of(context, order), 1000)
    await received(context, order, "charge.refunded")
    assert (await state(context, order.id))[3] == 1000

    await until_kept(context, control, order, 10_500)
    await received(context, order, "refund.failed")

    assert await state(context, order.id) == ("BOOKED", "CAPTURED", 10_500, 0)
    assert await refunds(context, order) == [(1000, "FAILED", True, 0)]


async def test_we_refund_when_the_refund_by_hand_of_an_ended_order_fails(
    context: ServiceContext, control: Control
) -> None:
    order = await booked(context, "pm_card_refundFail")
    await control.refund(await intent_of(context, order))
    await received(context, order, "charge.refunded")
    await until_kept(context, control, order, 10_500)

    await received(context, order, "refund.failed")

    assert (await state(context, order.id))[:2] == ("REFUNDED", "CAPTURED")
    assert (await refunds(context, order))[1] == (10_500, "DECIDED", False, 0)
    assert await context.database.fetchval("SELECT count(*) FROM outbox WHERE topic = 'send_refund'") == 1


async def until_kept(context: ServiceContext, control: Control, order: OrderRow, minor: int) -> None:
    async with asyncio.timeout(10):
        while await kept_at_stripe(context, order.id) != minor:
            await control.hurry()


async def test_order_is_marked_and_stays_booked_when_it_is_disputed(
    context: ServiceContext, control: Control
) -> None:
    order = await booked(context)
    await control.dispute(await intent_of(context, order))

    await received(context, order, "charge.dispute.created")
    await drain(context)

    assert await dispute_states(context, order) == ["OPEN"]
    assert await state(context, order.id) == ("BOOKED", "CAPTURED", 10_500, 0)
    assert await seats(context, order) == b"BBAA"


@pytest.mark.parametrize(("outcome", "ours"), [("lost", 0), ("won", 10_500)])
async def test_refund_waits_for_the_bank_when_the_payment_is_disputed(
    context: ServiceContext, control: Control, outcome: str, ours: int
) -> None:
    order = await booked(context)
    dispute = await control.dispute(await intent_of(context, order))
    await refund(context, ORGANISER, order.id)
    await drain(context)  # Stripe refuses it, and nothing is left to try
    assert (await refunds(context, order))[0][:2] == (10_500, "DECIDED")

    await control.close_dispute(dispute["id"], outcome)
    await received(context, order, "charge.dispute.closed")
    await drain(context)

    assert await dispute_states(context, order) == [outcome.upper()]
    assert (await refunds(context, order))[0][:2] == (ours, "SENT")
    assert await kept_at_stripe(context, order.id) == 10_500 - ours


async def test_nothing_more_goes_back_when_the_dispute_is_lost(
    context: ServiceContext, control: Control
) -> None:
    order = await booked(context)
    dispute = await control.dispute(await intent_of(context, order))
    await control.close_dispute(dispute["id"], "lost")
    await received(context, order, "charge.dispute.closed")
    assert (await state(context, order.id))[0] == "BOOKED"

    await refund(context, ORGANISER, order.id)
    await drain(context)

    assert (await state(context, order.id))[0] == "REFUNDED"
    assert await refunds(context, order) == [(0, "SENT", False, 10_500)]
    assert await seats(context, order) == b"AAAA"


async def test_rest_is_left_to_a_person_when_a_part_was_lost_in_a_dispute(
    context: ServiceContext, control: Control
) -> None:
    order = await booked(context)
    dispute = await control.dispute(await intent_of(context, order), amount=5000)
    await control.close_dispute(dispute["id"], "lost")

    await refund(context, ORGANISER, order.id)
    await drain(context)

    assert await refunds(context, order) == [(5500, "FAILED", False, 10_500)]


async def test_later_state_stays_when_an_older_reading_is_taken_in(
    context: ServiceContext, control: Control
) -> None:
    order = await booked(context)
    dispute = await control.dispute(await intent_of(context, order), inquiry=True)
    intent = await context.gateway.retrieve(await intent_of(context, order))
    older = await read_reversals(context, intent, await payment_of(context, order))
    await control.close_dispute(dispute["id"], "closed")
    await received(context, order, "charge.dispute.closed")

    await apply_intent(context, order.id, intent, reversals=older)

    assert older is not None
    assert [one.status for one in older.disputes] == ["warning_needs_response"]
    assert await dispute_states(context, order) == ["CLOSED"]


async def test_refund_of_ours_counts_once_when_its_answer_was_lost(
    context: ServiceContext, control: Control
) -> None:
    order = await booked(context)
    await refund(context, ORGANISER, order.id, None)
    await control.add_fault(
        "api.reset", match={"operation": "refund.create"}, params={"when": "after"}, count=2
    )
    await deliver(context)
    await received(context, order, "charge.refunded")
    await drain(context)

    assert await state(context, order.id) == ("REFUNDED", "REFUNDED", 10_500, 10_500)
    assert await refunds(context, order) == [(10_500, "SENT", False, 10_500)]


async def test_rest_goes_back_when_late_money_was_refunded_in_part_by_hand(
    context: ServiceContext, control: Control
) -> None:
    order = await held(context)
    await pay(context, ANN, order.id)
    intent_id = await confirm_in_browser(context, order, "pm_card_visa")
    await context.database.fetch(
        "WITH gone AS (UPDATE claims SET state = 'ENDED' WHERE order_id = $1)"
        " UPDATE orders SET state = 'EXPIRED' WHERE id = $1",
        order.id,
    )
    await context.gateway.capture(intent_id, idempotency_key=f"by hand:{order.id}")
    await control.refund(intent_id, 4000)

    await received(context, order, "charge.refunded")
    await drain(context)

    assert await state(context, order.id) == ("EXPIRED", "REFUNDED", 10_500, 10_500)
    assert sorted(row[:3] for row in await refunds(context, order)) == [
        (4000, "SENT", True),
        (6500, "SENT", False),
    ]
    assert await kept_at_stripe(context, order.id) == 0
