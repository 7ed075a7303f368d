"""Everything that can end an order, at once: the first wins, and money and places agree after it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from unittest.mock import AsyncMock
from uuid import UUID

import pytest

from db.queries.orders import OrderRow, order_by_id
from domain.errors import OrderNotPayable
from domain.states import OrderState
from payments.gateway import Intent
from payments.webhooks import WebhookEvent
from services.catalogue.cancel_event import cancel_event
from services.context import ServiceContext
from services.ordering import cancel, settle
from services.ordering.attempt import ReserveRequest
from services.ordering.outbox import deliver
from services.ordering.pay import pay
from services.ordering.refund import refund
from services.ordering.release import release
from services.ordering.reserve import reserve
from services.ordering.selection import BestAvailable, ExactSeats
from services.ordering.settle import apply_intent
from services.ordering.sweeps import sweep_payments
from services.ordering.webhook import handle_webhook
from tests.concurrency.races import faults, kept_at_stripe, lapse, unexpected, until_quiet
from tests.events import ORGANISER, ManualClock, buyer, open_event
from tests.orders import tickets_on
from workers.reconciliation import Reconciliation

Contexts = tuple[ServiceContext, ServiceContext]
ANN = buyer("ann")
CARD = "pm_card_visa"


async def held(context: ServiceContext, places: tuple[int, ...] = (0, 1)) -> OrderRow:
    event_id = await open_event(context.database, rows=[4])
    return await reserve(context, ANN, ReserveRequest(event_id, ExactSeats(places)))


async def state_of(context: ServiceContext, order_id: UUID) -> str:
    order = await order_by_id(context.database, order_id)
    assert order is not None
    return order.state


End = Callable[[Contexts, OrderRow], list[Awaitable[Any]]]


def paying_and_releasing(contexts: Contexts, order: OrderRow) -> list[Awaitable[Any]]:
    return [pay(contexts[0], ANN, order.id, CARD), release(contexts[1], ANN, order.id)]


def paying_twice(contexts: Contexts, order: OrderRow) -> list[Awaitable[Any]]:
    return [pay(context, ANN, order.id, CARD) for context in (*contexts, *contexts)]


def paying_and_cancelling(contexts: Contexts, order: OrderRow) -> list[Awaitable[Any]]:
    return [pay(contexts[0], ANN, order.id, CARD), cancel_event(contexts[1], ORGANISER, order.event_id)]


def releasing_twice(contexts: Contexts, order: OrderRow) -> list[Awaitable[Any]]:
    return [release(context, ANN, order.id) for context in contexts]


def refunding_twice(contexts: Contexts, order: OrderRow) -> list[Awaitable[Any]]:
    return [refund(context, ORGANISER, order.id) for context in (*contexts, *contexts)]


async def refund_first(context: ServiceContext, order: OrderRow) -> OrderRow:
    return await refund(context, ORGANISER, order.id, await tickets_on(context.database, order.id, 0))


def refunding_and_cancelling(contexts: Contexts, order: OrderRow) -> list[Awaitable[Any]]:
    return [
        refund_first(contexts[0], order),
        cancel_event(contexts[1], ORGANISER, order.event_id),
        refund_first(contexts[1], order),
        refund(contexts[0], ORGANISER, order.id),
    ]


@pytest.mark.parametrize("ends", [paying_and_releasing, paying_twice, paying_and_cancelling, releasing_twice])
async def test_money_and_places_agree_when_an_order_ends_in_two_ways(contexts: Contexts, ends: End) -> None:
    orders = [await held(contexts[0]) for _ in range(6)]

    answers = await asyncio.gather(
        *(work for order in orders for work in ends(contexts, order)), return_exceptions=True
    )

    await until_quiet(contexts)
    assert not unexpected(answers)
    assert [await faults(contexts[0], order.event_id) for order in orders] == [[]] * len(orders)


@pytest.mark.parametrize("ends", [refunding_twice, refunding_and_cancelling])
async def test_money_goes_back_once_when_a_booking_ends_in_many_ways(contexts: Contexts, ends: End) -> None:
    orders = [await held(contexts[0]) for _ in range(4)]
    for order in orders:
        await pay(contexts[0], ANN, order.id, CARD)

    answers = await asyncio.gather(
        *(work for order in orders for work in ends(contexts, order)), return_exceptions=True
    )

    await until_quiet(contexts)
    assert not unexpected(answers)
    assert [await state_of(contexts[0], order.id) for order in orders] == ["REFUNDED"] * len(orders)
    assert [await faults(contexts[0], order.event_id) for order in orders] == [[]] * len(orders)


async def test_deadline_decides_when_payment_and_expiry_meet(contexts: Contexts, clock: ManualClock) -> None:
    orders = [await held(contexts[0]) for _ in range(6)]
    clock.advance(seconds=479.99)

    async def expire() -> None:
        for _ in range(5):
            await lapse(contexts)

    paying = (pay(contexts[0], ANN, order.id, CARD) for order in orders)
    answers = await asyncio.gather(*paying, expire(), return_exceptions=True)

    await until_quiet(contexts)
    assert not unexpected(answers)
    assert [await faults(contexts[0], order.event_id) for order in orders] == [[]] * len(orders)


async def test_everything_agrees_when_a_whole_sale_does_all_at_once(
    contexts: Contexts, clock: ManualClock
) -> None:
    event_id = await open_event(contexts[0].database, rows=[10, 10])
    dice = random.Random(7)

    async def live(number: int) -> None:
        context, other = contexts[number % 2], contexts[(number + 1) % 2]
        who = buyer(f"b{number}")
        order = await reserve(context, who, ReserveRequest(event_id, BestAvailable(dice.randint(1, 3))))
        works: list[Awaitable[Any]] = [pay(context, who, order.id, CARD)]
        if dice.random() < 0.5:
            works.append(release(other, who, order.id))
        if dice.random() < 0.3:
            works.append(refund(other, ORGANISER, order.id))
        if dice.random() < 0.3:
            works.append(lapse(contexts))
        await asyncio.gather(*works, return_exceptions=True)

    answers = await asyncio.gather(*(live(number) for number in range(40)), return_exceptions=True)
    assert not unexpected(answers)
    clock.advance(seconds=2000)
    await lapse(contexts)
    await until_quiet(contexts)
    # Two thousand seconds without a worker: Redis has let go of holds that were booked meanwhile.
    reconciliation = Reconciliation(contexts[0])
    await reconciliation()
    await reconciliation()

    assert await faults(contexts[0], event_id) == []


async def without_its_condition(connection: Any, order_id: UUID, state: str, **_: Any) -> bool:
    """The transition as it must not be: whatever the order's state is."""
    await connection.execute("UPDATE orders SET state = $2 WHERE id = $1", order_id, state)
    return True


async def release_that_comes_late(context: ServiceContext) -> OrderRow:
    """A release that read its order before it was paid, and ends it after."""
    order = await held(context)
    await pay(context, ANN, order.id, CARD)
    await cancel.end_unpaid(context, order, OrderState.CANCELLED)
    return order


async def test_booking_stays_when_a_release_comes_late(contexts: Contexts) -> None:
    order = await release_that_comes_late(contexts[0])

    await until_quiet(contexts)
    assert await state_of(contexts[0], order.id) == "BOOKED"
    assert await faults(contexts[0], order.event_id) == []


async def test_control_loses_a_booking_when_transitions_have_no_condition(
    contexts: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancel, "set_order_state", without_its_condition)
    monkeypatch.setattr(cancel, "_has_intent", AsyncMock(return_value=False))

    order = await release_that_comes_late(contexts[0])

    await until_quiet(contexts)
    assert await state_of(contexts[0], order.id) != "BOOKED"


class TellsWhileCancelling:
    """A gateway whose webhook, read before the cancellation, arrives between it and our knowing of it."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context.gateway, name)

    async def cancel(self, intent_id: str, *, idempotency_key: str) -> Intent:
        before = await self._context.gateway.retrieve(intent_id)
        cancelled = await self._context.gateway.cancel(intent_id, idempotency_key=idempotency_key)
        assert before.order_id is not None
        await apply_intent(self._context, before.order_id, before)
        return cancelled


async def test_nothing_is_booked_when_a_webhook_was_read_before_the_cancellation(contexts: Contexts) -> None:
    order, _ = await authorised(contexts[0])
    crossing = replace(contexts[0], gateway=TellsWhileCancelling(contexts[0]))

    await release(crossing, ANN, order.id)

    await until_quiet(contexts)
    assert await state_of(contexts[0], order.id) == "CANCELLED"
    assert await faults(contexts[0], order.event_id) == []


async def test_control_books_without_money_when_giving_up_is_not_decided_first(
    contexts: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def undecided(*_: Any) -> bool:
        return True

    monkeypatch.setattr(cancel, "give_up", undecided)
    order, _ = await authorised(contexts[0])
    crossing = replace(contexts[0], gateway=TellsWhileCancelling(contexts[0]))

    with pytest.raises(OrderNotPayable):
        await release(crossing, ANN, order.id)

    assert await state_of(contexts[0], order.id) != "CANCELLED"


async def test_money_goes_back_when_the_refund_is_due_before_the_capture(contexts: Contexts) -> None:
    order = await held(contexts[0])
    await pay(contexts[0], ANN, order.id, CARD)
    await refund(contexts[0], ORGANISER, order.id)
    await contexts[0].database.fetch(
        "UPDATE outbox SET available_at = available_at + interval '1 hour' WHERE topic = 'capture_payment'"
    )

    await deliver(contexts[0])
    await until_quiet(contexts)

    assert await faults(contexts[0], order.event_id) == []


async def test_booking_ends_when_its_payment_is_voided_elsewhere(contexts: Contexts) -> None:
    order = await held(contexts[0])
    await pay(contexts[0], ANN, order.id, CARD)
    intent_id = await contexts[0].database.fetchval("SELECT intent_id FROM payments")

    await contexts[0].gateway.cancel(intent_id, idempotency_key=f"dashboard {intent_id}")
    await deliver_webhooks(contexts, intent_id)

    await until_quiet(contexts)
    assert await state_of(contexts[0], order.id) == "REFUNDED"
    assert await faults(contexts[0], order.event_id) == []


async def authorised(context: ServiceContext) -> tuple[OrderRow, str]:
    """An order whose buyer confirmed in the browser; no webhook has arrived yet."""
    order = await held(context)
    await pay(context, ANN, order.id)
    intent_id = await context.database.fetchval(
        "SELECT intent_id FROM payments WHERE order_id = $1", order.id
    )
    await context.gateway.confirm(
        intent_id, CARD, idempotency_key=f"browser:{order.id}", return_url="http://x"
    )
    return order, intent_id


async def deliver_webhooks(contexts: Contexts, intent_id: str) -> list[bool | BaseException]:
    """Thirty deliveries of ten events, in any order, at two contexts at once."""
    events = [
        WebhookEvent(f"evt_{number % 10}", "payment_intent.anything", intent_id, contexts[0].now())
        for number in range(30)
    ]
    random.Random(3).shuffle(events)
    works = (handle_webhook(contexts[number % 2], event) for number, event in enumerate(events))
    return await asyncio.gather(*works, return_exceptions=True)


async def captures_asked_for(context: ServiceContext, order_id: UUID) -> int:
    return int(
        await context.database.fetchval(
            "SELECT count(*) FROM outbox WHERE topic = 'capture_payment' AND key = $1", str(order_id)
        )
    )


async def test_one_capture_when_a_webhook_comes_thirty_times(contexts: Contexts) -> None:
    order, intent_id = await authorised(contexts[0])

    answers = await deliver_webhooks(contexts, intent_id)

    assert answers == [True] * 30
    assert await captures_asked_for(contexts[0], order.id) == 1
    await until_quiet(contexts)
    assert await kept_at_stripe(contexts[0], order.id) == order.total_minor
    assert await faults(contexts[0], order.event_id) == []


async def test_control_asks_for_many_captures_when_payments_have_no_condition(
    contexts: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, intent_id = await authorised(contexts[0])

    async def always(*_: Any, **__: Any) -> bool:
        return True

    monkeypatch.setattr(settle, "set_payment_state", always)
    await deliver_webhooks(contexts, intent_id)

    assert await captures_asked_for(contexts[0], order.id) > 1


async def test_money_is_let_go_when_it_was_authorised_after_the_end(
    contexts: Contexts, clock: ManualClock
) -> None:
    order, intent_id = await authorised(contexts[0])
    clock.advance(seconds=2000)

    answers = await asyncio.gather(
        lapse(contexts),
        deliver_webhooks(contexts, intent_id),
        release(contexts[1], ANN, order.id),
        sweep_payments(contexts[0]),
        return_exceptions=True,
    )

    await until_quiet(contexts)
    assert not unexpected(answers)
    assert await faults(contexts[0], order.event_id) == []
