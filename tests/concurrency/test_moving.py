"""An event that is moved while its tickets are being paid: nobody pays for a time that has changed unseen."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

import services.catalogue.organise_events
from db.session import Connection
from domain.errors import InvalidInput, NotOnSale
from services.catalogue.organise_events import update_event
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.pay import pay
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from tests.concurrency.races import unexpected, until_quiet
from tests.events import ORGANISER, ManualClock, buyer, open_event

Contexts = tuple[ServiceContext, ServiceContext]
ROUNDS = 24
CARD = "pm_card_visa"


async def held(contexts: Contexts, number: int) -> tuple[UUID, UUID]:
    """An event and an order of it, in processes that both know when it was to start."""
    event_id = await open_event(contexts[0].database, rows=[4])
    order = await reserve(contexts[0], buyer(f"b{number}"), ReserveRequest(event_id, ExactSeats((0, 1))))
    for context in contexts:
        await context.sale(event_id)
    return event_id, order.id


async def move(context: ServiceContext, event_id: UUID, clock: ManualClock) -> None:
    starts_at = clock() + timedelta(days=90)
    await update_event(context, ORGANISER, event_id, {"starts_at": starts_at, "ends_at": None})


async def moved_and_paid(contexts: Contexts, clock: ManualClock) -> tuple[int, int]:
    """Pay and move many events at once; how many were moved, and how many of these paid all the same."""
    held_orders = [await held(contexts, number) for number in range(ROUNDS)]
    clock.advance(seconds=5)

    async def later(number: int, event_id: UUID) -> None:
        await asyncio.sleep(number % 8 * 0.004)
        await move(contexts[1], event_id, clock)

    answers = await asyncio.gather(
        *(pay(contexts[0], buyer(f"b{n}"), order, CARD) for n, (_, order) in enumerate(held_orders)),
        *(later(number, event_id) for number, (event_id, _) in enumerate(held_orders)),
        return_exceptions=True,
    )
    await until_quiet(contexts)
    assert not unexpected(answers)
    rows = await contexts[0].database.fetch(
        "SELECT orders.state FROM orders JOIN events ON events.id = orders.event_id"
        " WHERE events.id = ANY ($1) AND moved_at IS NOT NULL",
        [event_id for event_id, _ in held_orders],
    )
    return len(rows), sum(row["state"] in ("PAYING", "BOOKED") for row in rows)


async def test_nothing_is_paid_for_a_time_that_changed_silently_meanwhile(
    contexts: Contexts, clock: ManualClock
) -> None:
    _, paid = await moved_and_paid(contexts, clock)

    assert paid == 0


async def test_control_sees_payments_for_moved_events_when_only_bookings_count(
    contexts: Contexts, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def only_bookings(connection: Connection, event_id: UUID) -> bool:
        found: bool = await connection.fetchval(
            "SELECT EXISTS (SELECT FROM orders WHERE event_id = $1 AND state = 'BOOKED')", event_id
        )
        return found

    monkeypatch.setattr(services.catalogue.organise_events, "has_bookings", only_bookings)

    moved, paid = await moved_and_paid(contexts, clock)

    assert 0 < paid <= moved


async def test_payment_is_refused_in_a_process_that_has_not_heard_of_the_move(
    contexts: Contexts, clock: ManualClock
) -> None:
    event_id, order_id = await held(contexts, 0)
    clock.advance(seconds=5)
    await move(contexts[1], event_id, clock)

    with pytest.raises(NotOnSale):
        await pay(contexts[0], buyer("b0"), order_id, CARD)


@pytest.mark.parametrize("card", [None, "pm_card_authenticationRequired"])
async def test_event_is_not_moved_silently_when_a_buyer_is_paying(
    contexts: Contexts, clock: ManualClock, card: str | None
) -> None:
    event_id, order_id = await held(contexts, 0)
    await pay(contexts[0], buyer("b0"), order_id, card)

    with pytest.raises(InvalidInput):
        await move(contexts[1], event_id, clock)

    moved_at = await contexts[0].database.fetch("SELECT moved_at FROM events WHERE id = $1", event_id)
    assert moved_at[0]["moved_at"] is None
