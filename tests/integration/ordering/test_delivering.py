"""The outbox's tasks: side by side, and written down though the database goes away for a moment."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from db.queries.orders import OrderRow
from db.queries.outbox import finish_tasks
from db.session import DATABASE_AWAY
from services.context import ServiceContext
from services.ordering import outbox
from services.ordering.attempt import ReserveRequest
from services.ordering.outbox import deliver
from services.ordering.pay import pay
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from tests.events import buyer, open_event

ANN = buyer("ann")


class HangingGateway:
    """A gateway that takes captures and does not answer them until the test says so."""

    def __init__(self, context: ServiceContext) -> None:
        self.go_on = asyncio.Event()
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context.gateway, name)

    async def capture(self, intent_id: str, *, idempotency_key: str) -> Any:
        await self.go_on.wait()
        return await self._context.gateway.capture(intent_id, idempotency_key=idempotency_key)


async def booked(context: ServiceContext) -> OrderRow:
    event_id = await open_event(context.database, rows=[4])
    order = await reserve(context, ANN, ReserveRequest(event_id, ExactSeats((0, 1))))
    await pay(context, ANN, order.id, "pm_card_visa")
    return order


async def tasks(context: ServiceContext) -> int:
    return int(await context.database.fetchval("SELECT count(*) FROM outbox"))


async def test_seats_of_others_are_shown_when_a_capture_hangs(context: ServiceContext) -> None:
    gateway = HangingGateway(context)
    slow = replace(context, gateway=gateway)
    first = await booked(context)
    async with asyncio.timeout(10):
        while (
            await context.database.fetchval("SELECT topic FROM outbox ORDER BY id LIMIT 1")
            != "capture_payment"
        ):
            await deliver(context, most=1)
    second = await booked(context)

    hanging = asyncio.create_task(deliver(slow))
    async with asyncio.timeout(5):
        while (await context.seats.snapshot(second.event_id)).places != b"BBAA":
            await asyncio.sleep(0.02)

    assert not hanging.done()
    assert (await context.seats.snapshot(first.event_id)).places == b"BBAA"
    gateway.go_on.set()
    await hanging


async def test_task_is_done_once_when_the_database_goes_away_as_it_ends(
    context: ServiceContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    await booked(context)
    tries: list[int] = []

    async def once_away(*arguments: Any) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise DATABASE_AWAY[0]
        await finish_tasks(*arguments)

    monkeypatch.setattr(outbox, "finish_tasks", once_away)

    while await deliver(context):
        pass

    assert await tasks(context) == 0
    assert len(tries) > 1
