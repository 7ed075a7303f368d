"""Refunds by hand that many webhooks announce at once, and that meet a refund of ours."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

import services.ordering.reversals
import services.ordering.settle
from db.queries.orders import OrderRow, Source, order_by_id
from db.queries.payments import payment_of_order
from db.queries.refunds import RefundRow, refunds_of_payment
from devservices.local_stripe import LocalStripe
from payments.webhooks import WebhookEvent
from services.ordering.refund import refund
from services.ordering.settle import settle_order
from services.ordering.webhook import handle_webhook
from tests.concurrency.races import faults, kept_at_stripe, until_quiet
from tests.concurrency.test_ends_of_orders import Contexts, authorised, state_of
from tests.events import ORGANISER
from tests.local_stripe import Control

WEBHOOKS = 16


@pytest.fixture
async def control(stripe_server: LocalStripe) -> AsyncIterator[Control]:
    control = Control(stripe_server.url())
    yield control
    await control.client.aclose()


class TwoReaders:
    """Reads a payment's refunds, and lets nobody go on before two have read: the race is certain."""

    def __init__(self) -> None:
        self.read_by = 0
        self.both_have_read = asyncio.Event()

    async def read(self, connection: Source, payment_id: UUID) -> list[RefundRow]:
        rows = await refunds_of_payment(connection, payment_id)
        self.read_by += 1
        if self.read_by == 2:
            self.both_have_read.set()
        await self.both_have_read.wait()
        return rows


async def captured(contexts: Contexts) -> tuple[OrderRow, str]:
    order, intent_id = await authorised(contexts[0])
    await settle_order(contexts[0], order.id)
    await until_quiet(contexts)
    return order, intent_id


async def announced(contexts: Contexts, intent_id: str) -> None:
    """Many webhooks of one refund, at once, at every process."""
    await asyncio.gather(
        *(
            handle_webhook(
                contexts[number % len(contexts)],
                WebhookEvent(f"evt_{intent_id}_{number}", "refund.updated", intent_id, contexts[0].now()),
            )
            for number in range(WEBHOOKS)
        )
    )


async def counted(contexts: Contexts, order: OrderRow) -> tuple[int, int]:
    """How many refunds there are, and what they are said to come to."""
    payment = await payment_of_order(contexts[0].database, order.id)
    assert payment is not None
    number = await contexts[0].database.fetchval(
        "SELECT count(*) FROM refunds WHERE payment_id = $1", payment.id
    )
    return number, payment.refunded_minor


async def test_refund_by_hand_counts_once_when_many_webhooks_announce_it_at_once(
    contexts: Contexts, control: Control
) -> None:
    order, intent_id = await captured(contexts)
    await control.refund(intent_id, 1000)

    await announced(contexts, intent_id)

    assert await counted(contexts, order) == (1, 1000)
    assert await state_of(contexts[0], order.id) == "BOOKED"


async def test_refund_by_hand_counts_more_than_once_without_the_lock_and_the_index(
    contexts: Contexts, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, intent_id = await captured(contexts)
    await control.refund(intent_id, 1000)
    monkeypatch.setattr(services.ordering.settle, "lock_order", order_by_id)
    monkeypatch.setattr(services.ordering.reversals, "refunds_of_payment", TwoReaders().read)
    await contexts[0].database.fetch("DROP INDEX refunds_once")

    await announced(contexts, intent_id)

    number, refunded = await counted(contexts, order)
    assert number > 1
    assert refunded > 1000


async def test_money_goes_back_once_when_ours_and_one_by_hand_meet(
    contexts: Contexts, control: Control
) -> None:
    order, intent_id = await captured(contexts)

    await asyncio.gather(
        refund(contexts[0], ORGANISER, order.id), control.refund(intent_id), until_quiet(contexts)
    )
    await announced(contexts, intent_id)
    await until_quiet(contexts)

    assert await state_of(contexts[0], order.id) == "REFUNDED"
    assert await kept_at_stripe(contexts[0], order.id) == 0
    assert (await counted(contexts, order))[1] == order.total_minor
    assert await faults(contexts[0], order.event_id) == []
