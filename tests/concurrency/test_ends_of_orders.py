"""Everything that can end an order, at once: whoever is first wins, and money and places agree after it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from db.queries.orders import OrderRow, order_by_id
from domain.errors import OrderNotPayable
from domain.states import OrderState
from payments.gateway import Intent
from payments.webhooks import WebhookEvent
from services.context import Office
from services.ordering import expiry, settle
from services.ordering.expiry import cancel_event, release
from services.ordering.outbox import deliver
from services.ordering.pay import pay
from services.ordering.payment_sweep import sweep_payments
from services.ordering.refund import refund
from services.ordering.reserve import ReserveRequest, reserve
from services.ordering.selection import BestAvailable, ExactSeats
from services.ordering.settle import apply_intent, handle_webhook
from tests.concurrency.races import faults, kept_at_stripe, lapse, unexpected, until_quiet
from tests.houses import ORGANISER, ManualClock, buyer, open_event
from workers.ordering import Reconciliation

Offices = tuple[Office, Office]
ANN = buyer("ann")
CARD = "pm_card_visa"


async def held(office: Office, places: tuple[int, ...] = (0, 1)) -> OrderRow:
    event_id = await open_event(office.database, rows=[4])
    return await reserve(office, ANN, ReserveRequest(event_id, ExactSeats(places)))


async def state_of(office: Office, order_id: UUID) -> str:
    order = await order_by_id(office.database, order_id)
    assert order is not None
    return order.state


End = Callable[[Offices, OrderRow], list[Awaitable[Any]]]


def paying_and_releasing(offices: Offices, order: OrderRow) -> list[Awaitable[Any]]:
    return [pay(offices[0], ANN, order.id, CARD), release(offices[1], ANN, order.id)]


def paying_twice(offices: Offices, order: OrderRow) -> list[Awaitable[Any]]:
    return [pay(office, ANN, order.id, CARD) for office in (*offices, *offices)]


def paying_and_cancelling(offices: Offices, order: OrderRow) -> list[Awaitable[Any]]:
    return [pay(offices[0], ANN, order.id, CARD), cancel_event(offices[1], ORGANISER, order.event_id)]


def releasing_twice(offices: Offices, order: OrderRow) -> list[Awaitable[Any]]:
    return [release(office, ANN, order.id) for office in offices]


def refunding_twice(offices: Offices, order: OrderRow) -> list[Awaitable[Any]]:
    return [refund(office, ORGANISER, order.id) for office in (*offices, *offices)]


def refunding_and_cancelling(offices: Offices, order: OrderRow) -> list[Awaitable[Any]]:
    return [
        refund(offices[0], ORGANISER, order.id, [0]),
        cancel_event(offices[1], ORGANISER, order.event_id),
        refund(offices[1], ORGANISER, order.id, [0]),
        refund(offices[0], ORGANISER, order.id),
    ]


@pytest.mark.parametrize("ends", [paying_and_releasing, paying_twice, paying_and_cancelling, releasing_twice])
async def test_money_and_places_agree_when_an_order_ends_in_two_ways(offices: Offices, ends: End) -> None:
    orders = [await held(offices[0]) for _ in range(6)]

    answers = await asyncio.gather(
        *(work for order in orders for work in ends(offices, order)), return_exceptions=True
    )

    await until_quiet(offices)
    assert not unexpected(answers)
    assert [await faults(offices[0], order.event_id) for order in orders] == [[]] * len(orders)


@pytest.mark.parametrize("ends", [refunding_twice, refunding_and_cancelling])
async def test_money_goes_back_once_when_a_booking_ends_in_many_ways(offices: Offices, ends: End) -> None:
    orders = [await held(offices[0]) for _ in range(4)]
    for order in orders:
        await pay(offices[0], ANN, order.id, CARD)

    answers = await asyncio.gather(
        *(work for order in orders for work in ends(offices, order)), return_exceptions=True
    )

    await until_quiet(offices)
    assert not unexpected(answers)
    assert [await state_of(offices[0], order.id) for order in orders] == ["REFUNDED"] * len(orders)
    assert [await faults(offices[0], order.event_id) for order in orders] == [[]] * len(orders)


async def test_deadline_decides_when_payment_and_expiry_meet(offices: Offices, clock: ManualClock) -> None:
    orders = [await held(offices[0]) for _ in range(6)]
    clock.advance(seconds=479.99)

    async def expire() -> None:
        for _ in range(5):
            await lapse(offices)

    paying = (pay(offices[0], ANN, order.id, CARD) for order in orders)
    answers = await asyncio.gather(*paying, expire(), return_exceptions=True)

    await until_quiet(offices)
    assert not unexpected(answers)
    assert [await faults(offices[0], order.event_id) for order in orders] == [[]] * len(orders)


async def test_everything_agrees_when_a_whole_sale_does_all_at_once(
    offices: Offices, clock: ManualClock
) -> None:
    event_id = await open_event(offices[0].database, rows=[10, 10])
    dice = random.Random(7)

    async def live(number: int) -> None:
        office, other = offices[number % 2], offices[(number + 1) % 2]
        who = buyer(f"b{number}")
        order = await reserve(office, who, ReserveRequest(event_id, BestAvailable(dice.randint(1, 3))))
        works: list[Awaitable[Any]] = [pay(office, who, order.id, CARD)]
        if dice.random() < 0.5:
            works.append(release(other, who, order.id))
        if dice.random() < 0.3:
            works.append(refund(other, ORGANISER, order.id))
        if dice.random() < 0.3:
            works.append(lapse(offices))
        await asyncio.gather(*works, return_exceptions=True)

    answers = await asyncio.gather(*(live(number) for number in range(40)), return_exceptions=True)
    assert not unexpected(answers)
    clock.advance(seconds=2000)
    await lapse(offices)
    await until_quiet(offices)
    # Two thousand seconds without a worker: Redis has let go of holds that were booked meanwhile.
    reconciliation = Reconciliation(offices[0])
    await reconciliation()
    await reconciliation()

    assert await faults(offices[0], event_id) == []


async def without_its_condition(connection: Any, order_id: UUID, state: str, **_: Any) -> bool:
    """The transition as it must not be: whatever the order's state is."""
    await connection.execute("UPDATE orders SET state = $2 WHERE id = $1", order_id, state)
    return True


async def release_that_comes_late(office: Office) -> OrderRow:
    """A release that read its order before it was paid, and ends it after."""
    order = await held(office)
    await pay(office, ANN, order.id, CARD)
    await expiry._end(office, order, OrderState.CANCELLED)
    return order


async def test_booking_stays_when_a_release_comes_late(offices: Offices) -> None:
    order = await release_that_comes_late(offices[0])

    await until_quiet(offices)
    assert await state_of(offices[0], order.id) == "BOOKED"
    assert await faults(offices[0], order.event_id) == []


async def test_control_loses_a_booking_when_transitions_have_no_condition(
    offices: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "set_order_state", without_its_condition)

    order = await release_that_comes_late(offices[0])

    await until_quiet(offices)
    assert await state_of(offices[0], order.id) != "BOOKED"


class TellsWhileCancelling:
    """A gateway whose webhook, read before the cancellation, arrives between it and our knowing of it."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def __getattr__(self, name: str) -> Any:
        return getattr(self._office.gateway, name)

    async def cancel(self, intent_id: str, *, idempotency_key: str) -> Intent:
        before = await self._office.gateway.retrieve(intent_id)
        cancelled = await self._office.gateway.cancel(intent_id, idempotency_key=idempotency_key)
        assert before.order_id is not None
        await apply_intent(self._office, before.order_id, before)
        return cancelled


async def test_nothing_is_booked_when_a_webhook_was_read_before_the_cancellation(offices: Offices) -> None:
    order, _ = await authorised(offices[0])
    crossing = replace(offices[0], gateway=TellsWhileCancelling(offices[0]))

    await release(crossing, ANN, order.id)

    await until_quiet(offices)
    assert await state_of(offices[0], order.id) == "CANCELLED"
    assert await faults(offices[0], order.event_id) == []


async def test_control_books_without_money_when_giving_up_is_not_decided_first(
    offices: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def undecided(*_: Any) -> bool:
        return True

    monkeypatch.setattr(expiry, "_give_up", undecided)
    order, _ = await authorised(offices[0])
    crossing = replace(offices[0], gateway=TellsWhileCancelling(offices[0]))

    with pytest.raises(OrderNotPayable):
        await release(crossing, ANN, order.id)

    assert await state_of(offices[0], order.id) != "CANCELLED"


async def test_money_goes_back_when_the_refund_is_due_before_the_capture(offices: Offices) -> None:
    order = await held(offices[0])
    await pay(offices[0], ANN, order.id, CARD)
    await refund(offices[0], ORGANISER, order.id)
    await offices[0].database.fetch(
        "UPDATE outbox SET available_at = available_at + interval '1 hour' WHERE topic = 'capture_payment'"
    )

    await deliver(offices[0])
    await until_quiet(offices)

    assert await faults(offices[0], order.event_id) == []


async def test_booking_ends_when_its_payment_is_voided_elsewhere(offices: Offices) -> None:
    order = await held(offices[0])
    await pay(offices[0], ANN, order.id, CARD)
    intent_id = await offices[0].database.fetchval("SELECT intent_id FROM payments")

    await offices[0].gateway.cancel(intent_id, idempotency_key=f"dashboard {intent_id}")
    await deliver_webhooks(offices, intent_id)

    await until_quiet(offices)
    assert await state_of(offices[0], order.id) == "REFUNDED"
    assert await faults(offices[0], order.event_id) == []


async def authorised(office: Office) -> tuple[OrderRow, str]:
    """An order whose buyer confirmed in the browser; nobody has told us yet."""
    order = await held(office)
    await pay(office, ANN, order.id)
    intent_id = await office.database.fetchval("SELECT intent_id FROM payments WHERE order_id = $1", order.id)
    await office.gateway.confirm(
        intent_id, CARD, idempotency_key=f"browser:{order.id}", return_url="http://x"
    )
    return order, intent_id


async def deliver_webhooks(offices: Offices, intent_id: str) -> list[bool | BaseException]:
    """Thirty deliveries of ten events, in any order, at two offices at once."""
    events = [
        WebhookEvent(f"evt_{number % 10}", "payment_intent.anything", intent_id, offices[0].now())
        for number in range(30)
    ]
    random.Random(3).shuffle(events)
    works = (handle_webhook(offices[number % 2], event) for number, event in enumerate(events))
    return await asyncio.gather(*works, return_exceptions=True)


async def captures_asked_for(office: Office, order_id: UUID) -> int:
    return int(
        await office.database.fetchval(
            "SELECT count(*) FROM outbox WHERE topic = 'capture_payment' AND key = $1", str(order_id)
        )
    )


async def test_one_capture_when_a_webhook_comes_thirty_times(offices: Offices) -> None:
    order, intent_id = await authorised(offices[0])

    answers = await deliver_webhooks(offices, intent_id)

    assert answers == [True] * 30
    assert await captures_asked_for(offices[0], order.id) == 1
    await until_quiet(offices)
    assert await kept_at_stripe(offices[0], order.id) == order.total_minor
    assert await faults(offices[0], order.event_id) == []


async def test_control_asks_for_many_captures_when_payments_have_no_condition(
    offices: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, intent_id = await authorised(offices[0])

    async def always(*_: Any, **__: Any) -> bool:
        return True

    monkeypatch.setattr(settle, "set_payment_state", always)
    await deliver_webhooks(offices, intent_id)

    assert await captures_asked_for(offices[0], order.id) > 1


async def test_money_is_let_go_when_it_was_authorised_after_the_end(
    offices: Offices, clock: ManualClock
) -> None:
    order, intent_id = await authorised(offices[0])
    clock.advance(seconds=2000)

    answers = await asyncio.gather(
        lapse(offices),
        deliver_webhooks(offices, intent_id),
        release(offices[1], ANN, order.id),
        sweep_payments(offices[0]),
        return_exceptions=True,
    )

    await until_quiet(offices)
    assert not unexpected(answers)
    assert await faults(offices[0], order.event_id) == []
