"""Paying for an event that is over, was moved or cancelled since the hold."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from db.queries.catalogue import change_event
from db.queries.orders import OrderRow
from domain.errors import NotOnSale
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.expiry import expire_paying
from services.ordering.pay import pay
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from tests.events import ManualClock
from tests.integration.ordering.payments import (
    ANN,
    BOB,
    confirm_in_browser,
    drain,
    held,
    intents_made,
    kept_at_stripe,
    seats,
    state,
)

Change = Callable[[ServiceContext, OrderRow, ManualClock], Awaitable[None]]


async def end_the_event(context: ServiceContext, order: OrderRow, clock: ManualClock) -> None:
    await change_event_of(context, order, starts_at=clock() - timedelta(hours=3), ends_at=clock())


async def move_the_event(context: ServiceContext, order: OrderRow, clock: ManualClock) -> None:
    await change_event_of(context, order, starts_at=clock() + timedelta(days=90), ends_at=None)


async def cancel_the_event(context: ServiceContext, order: OrderRow, clock: ManualClock) -> None:
    await context.database.fetch("UPDATE events SET state = 'CANCELLED' WHERE id = $1", order.event_id)
    context.sales.forget(order.event_id)


async def change_event_of(context: ServiceContext, order: OrderRow, **changes: Any) -> None:
    write = partial(change_event, event_id=order.event_id, changes=changes)
    await context.change_event(order.event_id, write)


@pytest.mark.parametrize("happen", [end_the_event, move_the_event, cancel_the_event])
async def test_nothing_is_charged_when_the_event_is_over_moved_or_cancelled(
    context: ServiceContext, clock: ManualClock, happen: Change
) -> None:
    order = await held(context)
    clock.advance(seconds=5)
    await happen(context, order, clock)

    for card in ("pm_card_visa", None):
        with pytest.raises(NotOnSale):
            await pay(context, ANN, order.id, card)
    await drain(context)

    assert await state(context, order.id) == ("RESERVED", None, 0, 0)
    assert await intents_made(context, order) == 0
    assert await seats(context, order) == b"HHAA"
    clock.advance(seconds=480)
    assert await seats(context, order) == b"AAAA"


async def test_moved_event_is_paid_when_its_seats_were_held_after_the_move(
    context: ServiceContext, clock: ManualClock
) -> None:
    first = await held(context)
    await move_the_event(context, first, clock)
    clock.advance(seconds=5)
    request = ReserveRequest(first.event_id, ExactSeats((2, 3)))
    order = await reserve(context, BOB, request)

    paid = await pay(context, BOB, order.id, "pm_card_visa")

    assert paid.order.state == "BOOKED"


async def test_repeated_request_finds_its_payment_when_the_event_is_over_meanwhile(
    context: ServiceContext, clock: ManualClock
) -> None:
    order = await held(context)
    await pay(context, ANN, order.id, "pm_card_processing", "the-same-key")
    await end_the_event(context, order, clock)
    with pytest.raises(NotOnSale):
        await pay(context, ANN, order.id, "pm_card_visa", "another-key")

    again = await pay(context, ANN, order.id, "pm_card_processing", "the-same-key")

    assert again.order.state in ("PAYING", "BOOKED")
    assert await intents_made(context, order) == 1


async def test_money_goes_back_when_it_comes_after_the_hold_of_an_event_that_is_over(
    context: ServiceContext, clock: ManualClock
) -> None:
    order = await held(context)
    await pay(context, ANN, order.id)
    intent_id = await confirm_in_browser(context, order, "pm_card_authenticationRequired")
    await end_the_event(context, order, clock)
    clock.advance(seconds=481)
    await expire_paying(context)
    await drain(context)

    assert (await state(context, order.id))[0] == "EXPIRED"
    assert (await context.gateway.retrieve(intent_id)).status == "canceled"
    assert await kept_at_stripe(context, order.id) == 0
    assert await seats(context, order) == b"AAAA"
