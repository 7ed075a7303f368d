"""Declines: a limited number of cards is tried, and the gateway is not asked about more."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest

from db.queries.orders import OrderRow
from domain.errors import IdempotencyMismatch, PaymentDeclined, SlowDown
from domain.ticket_limits import NetworkLimit
from domain.viewer import Viewer
from payments.gateway import Declined, PaymentGateway
from payments.webhooks import WebhookEvent
from services.context import ServiceContext
from services.ordering import declines
from services.ordering.attempt import ReserveRequest
from services.ordering.pay import pay
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from services.ordering.sweeps import sweep_card_attempts, sweep_payments
from services.ordering.webhook import handle_webhook
from tests.events import ManualClock, buyer, open_event

ANN = buyer("ann")
BAD, GOOD = "pm_card_chargeDeclined", "pm_card_visa"
HALL, HOME = "81.2.69.142", "81.2.69.160"


@dataclass
class CountingGateway:
    """The gateway, with the confirmations and retrievals counted."""

    gateway: PaymentGateway
    confirmations: int = 0
    retrievals: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.gateway, name)

    async def confirm(self, *given: Any, **named: Any) -> Any:
        self.confirmations += 1
        return await self.gateway.confirm(*given, **named)

    async def retrieve(self, *given: Any, **named: Any) -> Any:
        self.retrievals += 1
        return await self.gateway.retrieve(*given, **named)


@pytest.fixture
def counted(context: ServiceContext) -> tuple[ServiceContext, CountingGateway]:
    gateway = CountingGateway(context.gateway)
    return replace(context, gateway=gateway), gateway


async def held(context: ServiceContext, who: Viewer = ANN) -> OrderRow:
    event_id = await open_event(context.database, rows=[4])
    return await reserve(context, who, ReserveRequest(event_id, ExactSeats((0,))))


async def decline(
    context: ServiceContext, order: OrderRow, times: int, who: Viewer = ANN, address: str = ""
) -> None:
    for _ in range(times):
        with pytest.raises(PaymentDeclined):
            await pay(context, who, order.id, BAD, address=address)


async def attempts(context: ServiceContext) -> int:
    return int(await context.database.fetchval("SELECT count(*) FROM card_attempts"))


async def stored(context: ServiceContext, order_id: UUID) -> Any:
    return await context.database.fetchrow(
        """
        SELECT orders.state, expires_at, payments.state AS payment, attempts, payments.idempotency_key
        FROM orders LEFT JOIN payments ON order_id = orders.id WHERE orders.id = $1
        """,
        order_id,
    )


async def test_slow_down_when_five_cards_of_an_order_were_declined(
    counted: tuple[ServiceContext, CountingGateway], clock: ManualClock
) -> None:
    context, gateway = counted
    order = await held(context)
    await decline(context, order, 5)
    before, asked = await stored(context, order.id), gateway.confirmations

    for method in (GOOD, None):
        with pytest.raises(SlowDown) as refused:
            await pay(context, ANN, order.id, method)
        assert 3500 < refused.value.retry_after_seconds <= 3600

    assert (await stored(context, order.id), gateway.confirmations) == (before, asked)
    assert (await pay(context, ANN, (await held(context)).id, GOOD)).order.state == "BOOKED"


async def test_limit_is_the_same_when_the_cards_are_tried_at_once(
    counted: tuple[ServiceContext, CountingGateway],
) -> None:
    context, gateway = counted
    order = await held(context)
    await pay(context, ANN, order.id)

    answers = await asyncio.gather(
        *(pay(context, ANN, order.id, BAD) for _ in range(12)), return_exceptions=True
    )

    assert gateway.confirmations <= 5
    assert sum(isinstance(answer, SlowDown) for answer in answers) >= 7


async def test_control_more_cards_are_tried_when_nothing_is_recorded_before_the_gateway_is_asked(
    counted: tuple[ServiceContext, CountingGateway], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, gateway = counted
    order = await held(context)
    await pay(context, ANN, order.id)

    async def nothing(*_: Any) -> None:
        """Not written."""

    monkeypatch.setattr(declines, "write_attempt", nothing)
    await asyncio.gather(*(pay(context, ANN, order.id, BAD) for _ in range(12)), return_exceptions=True)

    assert gateway.confirmations > 5


async def test_slow_down_when_ten_cards_of_a_person_were_declined_within_an_hour(
    context: ServiceContext, clock: ManualClock
) -> None:
    context = replace(context, hold_time=context.hold_time * 100)
    first, second, third = [await held(context) for _ in range(3)]
    await decline(context, first, 5)
    clock.advance(minutes=30)
    await decline(context, second, 5)

    with pytest.raises(SlowDown) as refused:
        await pay(context, ANN, third.id, GOOD)

    assert 1700 < refused.value.retry_after_seconds <= 1800
    assert tuple(await stored(context, third.id))[2:] == (None, None, None)
    assert (await pay(context, buyer("bob"), (await held(context, buyer("bob"))).id, GOOD)).order.state == (
        "BOOKED"
    )
    clock.advance(minutes=31)
    assert (await pay(context, ANN, third.id, GOOD)).order.state == "BOOKED"


async def test_slow_down_when_ten_cards_of_a_network_were_declined(context: ServiceContext) -> None:
    for number in range(5):
        who = buyer(f"farm{number}")
        await decline(context, await held(context, who), 2, who, HALL)
    other = await held(context)

    with pytest.raises(SlowDown):
        await pay(context, ANN, other.id, GOOD, address=f"::ffff:{HALL}")

    assert tuple(await stored(context, other.id))[2:] == (None, None, None)
    assert (await pay(context, ANN, other.id, GOOD, address=HOME)).order.state == "BOOKED"


async def test_private_networks_are_not_counted_unless_asked_for(context: ServiceContext) -> None:
    for number in range(6):
        who = buyer(f"farm{number}")
        await decline(context, await held(context, who), 2, who, "10.0.0.1")

    counting = replace(context, network_limit=NetworkLimit(100, private_too=True))
    await decline(counting, await held(context), 2, ANN, "10.0.0.1")


async def test_a_hall_may_go_on_buying_when_most_of_its_cards_are_accepted(context: ServiceContext) -> None:
    for number in range(12):
        who = buyer(f"fan{number}")
        order = await held(context, who)
        await decline(context, order, 1, who, HALL)
        assert (await pay(context, who, order.id, GOOD, address=HALL)).order.state == "BOOKED"


async def test_a_repeated_payment_is_no_new_decline_and_is_answered_as_before(
    context: ServiceContext,
) -> None:
    order = await held(context)
    await decline(context, order, 4)
    for _ in range(4):
        with pytest.raises(PaymentDeclined):
            await pay(context, ANN, order.id, BAD, "the fifth")

    assert await attempts(context) == 5
    with pytest.raises(IdempotencyMismatch):
        await pay(context, ANN, order.id, GOOD, "the fifth")
    with pytest.raises(SlowDown):
        await pay(context, ANN, order.id, GOOD, "the sixth")
    with pytest.raises(PaymentDeclined):
        await pay(context, ANN, order.id, BAD, "the fifth")


async def test_a_card_declined_in_the_browser_counts_once_however_often_it_is_reported(
    context: ServiceContext,
) -> None:
    order = await held(context)
    await pay(context, ANN, order.id)
    intent_id = await context.database.fetchval("SELECT intent_id FROM payments")

    for number in range(5):
        with suppress(Declined):
            await context.gateway.confirm(
                intent_id, BAD, idempotency_key=f"browser {number}", return_url="http://localhost/"
            )
        for again in range(2):
            event = WebhookEvent(f"evt_{number}_{again}", "payment_intent.failed", intent_id, context.now())
            await handle_webhook(context, event)

    assert await attempts(context) == 5
    with pytest.raises(SlowDown):
        await pay(context, ANN, order.id)


async def test_attempts_are_deleted_when_they_are_a_day_old(
    context: ServiceContext, clock: ManualClock
) -> None:
    await decline(context, await held(context), 2)
    clock.advance(hours=23)
    assert await sweep_card_attempts(context) == 0
    clock.advance(hours=2)

    assert await sweep_card_attempts(context) == 2
    assert await attempts(context) == 0


async def test_the_gateway_is_asked_with_growing_pauses_when_nothing_changes(
    counted: tuple[ServiceContext, CountingGateway], clock: ManualClock
) -> None:
    context, gateway = counted
    orders = [await held(context, buyer(f"idle{number}")) for number in range(3)]
    for number, order in enumerate(orders):
        await pay(context, buyer(f"idle{number}"), order.id, "pm_card_authenticationRequired")
    gateway.retrievals = 0

    asked = []
    for _ in range(240):
        clock.advance(seconds=2)
        before = gateway.retrievals
        await sweep_payments(context)
        if gateway.retrievals > before:
            asked.append(gateway.retrievals)

    assert asked == [3, 6, 9, 12, 15, 18]  # after 5, 20, 50, 110, 230 and 470 seconds
