"""A reference that another order has is drawn again; it says nothing about seats."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from db.queries.orders import place_orders
from db.violations import PlaceTaken, ReferenceTaken, UniqueViolation
from domain.ids import order_id_of
from domain.references import reference_of
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.reserve import reserve
from services.ordering.selection import BestAvailable, ExactSeats
from tests.events import buyer, open_event
from tests.orders import order_over

ANN = buyer("ann")
KEY = "once"
ORDER_ID = order_id_of(ANN.user_id, KEY)


async def take_reference(context: ServiceContext, reference: str) -> None:
    """Give a reference to an order of another event."""
    elsewhere = await open_event(context.database, rows=[2])
    await place_orders(context.database, [order_over(elsewhere, [0]).with_reference(reference)])


async def references(context: ServiceContext, event_id: UUID) -> list[str]:
    rows = await context.database.fetch("SELECT reference FROM orders WHERE event_id = $1", event_id)
    return [row["reference"] for row in rows]


async def test_order_has_its_second_draw_when_the_first_is_taken(context: ServiceContext) -> None:
    await take_reference(context, reference_of(ORDER_ID))
    event_id = await open_event(context.database, rows=[5])

    order = await reserve(context, ANN, ReserveRequest(event_id, ExactSeats((1, 2)), idempotency_key=KEY))

    assert (order.id, order.reference) == (ORDER_ID, reference_of(ORDER_ID, 1))
    assert await references(context, event_id) == [reference_of(ORDER_ID, 1)]
    assert (await context.seats.snapshot(event_id)).places == b"AHHAA"


async def test_order_has_its_third_draw_when_two_are_taken(context: ServiceContext) -> None:
    await take_reference(context, reference_of(ORDER_ID))
    await take_reference(context, reference_of(ORDER_ID, 1))
    event_id = await open_event(context.database, rows=[5])

    order = await reserve(context, ANN, ReserveRequest(event_id, ExactSeats((1, 2)), idempotency_key=KEY))

    assert order.reference == reference_of(ORDER_ID, 2)


async def test_retries_find_one_order_when_its_reference_was_drawn_again(context: ServiceContext) -> None:
    await take_reference(context, reference_of(ORDER_ID))
    event_id = await open_event(context.database, rows=[5])
    request = ReserveRequest(event_id, BestAvailable(2), idempotency_key=KEY)

    orders = await asyncio.gather(*(reserve(context, ANN, request) for _ in range(10)))
    later = await reserve(context, ANN, request)

    assert {(order.id, order.reference) for order in [*orders, later]} == {
        (ORDER_ID, reference_of(ORDER_ID, 1))
    }
    assert (await context.seats.snapshot(event_id)).places.count(b"H") == 2


async def test_lapsed_hold_gives_way_when_the_reference_is_taken_too(context: ServiceContext) -> None:
    await take_reference(context, reference_of(ORDER_ID))
    event_id = await open_event(context.database, rows=[5])
    # An order whose deadline has passed and that Redis knows nothing of.
    await place_orders(context.database, [order_over(event_id, [1])])

    order = await reserve(context, ANN, ReserveRequest(event_id, ExactSeats((1, 2)), idempotency_key=KEY))

    assert order.reference == reference_of(ORDER_ID, 1)


async def test_others_of_a_batch_are_written_when_the_reference_of_one_is_taken(
    context: ServiceContext,
) -> None:
    await take_reference(context, "TAKEN")
    event_id = await open_event(context.database, rows=[5])
    orders = [order_over(event_id, [place]) for place in range(3)]
    orders[1] = orders[1].with_reference("TAKEN")

    answers = await asyncio.gather(*(context.orders.place(order) for order in orders), return_exceptions=True)

    assert [answers[0], answers[2]] == [1, 1]
    assert isinstance(answers[1], ReferenceTaken)


async def test_a_taken_place_is_no_taken_reference(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[5])
    await place_orders(context.database, [order_over(event_id, [1])])

    with pytest.raises(PlaceTaken):
        await place_orders(context.database, [order_over(event_id, [1])])


async def test_violation_of_another_constraint_is_raised_as_it_is(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[5])
    await context.database.fetch("CREATE UNIQUE INDEX one_order_of_an_event ON orders (event_id)")
    await reserve(context, ANN, ReserveRequest(event_id, ExactSeats((0, 1))))

    with pytest.raises(UniqueViolation) as caught:
        await reserve(context, ANN, ReserveRequest(event_id, ExactSeats((3, 4))))

    assert isinstance(caught.value, asyncpg.UniqueViolationError)
    assert await references(context, event_id) != []
