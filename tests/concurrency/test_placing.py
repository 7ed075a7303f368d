"""Orders that are written together: few commits, and each order with an answer of its own."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from db.queries.orders import NewOrder
from db.violations import PlaceTaken
from kit.ids import new_uuid
from services.context import ServiceContext
from services.ordering.selection import GeneralAdmission
from tests.concurrency.races import live_places, orders_of, rush
from tests.events import open_event
from tests.orders import order_over

Contexts = tuple[ServiceContext, ServiceContext]


async def place_all(context: ServiceContext, orders: Sequence[NewOrder]) -> list[int | BaseException]:
    """Every order's answer; they are asked for in one turn of the loop."""
    return await asyncio.gather(*(context.orders.place(order) for order in orders), return_exceptions=True)


async def transactions_of(context: ServiceContext, event_id: UUID) -> int:
    """How many transactions wrote the event's orders."""
    count = await context.database.fetchval(
        "SELECT count(DISTINCT xmin::text) FROM orders WHERE event_id = $1", event_id
    )
    return int(count)


async def test_a_hundred_orders_share_a_few_commits_when_they_come_at_once(contexts: Contexts) -> None:
    event_id = await open_event(contexts[0].database, standing=100)

    orders = orders_of(await rush(contexts[:1], event_id, 100, lambda _: GeneralAdmission(0, 1)))

    assert len(orders) == 100
    assert await transactions_of(contexts[0], event_id) <= 10


async def test_only_the_loser_is_refused_when_one_of_many_has_lost_its_place(contexts: Contexts) -> None:
    event_id = await open_event(contexts[0].database, rows=[10])
    await contexts[1].orders.place(order_over(event_id, [3, 4]))
    orders = [order_over(event_id, places) for places in ([0, 1], [2, 3], [5, 6])]

    answers = await place_all(contexts[0], orders)

    assert [answers[0], answers[2]] == [2, 2]
    assert isinstance(answers[1], PlaceTaken)
    assert await live_places(contexts[0], event_id) == dict.fromkeys((0, 1, 3, 4, 5, 6), 1)


async def test_one_of_two_wins_when_both_claim_a_place_in_the_same_moment(contexts: Contexts) -> None:
    event_id = await open_event(contexts[0].database, rows=[10])

    answers = await place_all(contexts[0], [order_over(event_id, [1, 2]), order_over(event_id, [2, 3])])

    assert {type(answer) for answer in answers} == {int, PlaceTaken}
    assert sum((await live_places(contexts[0], event_id)).values()) == 2


async def test_the_second_is_not_written_when_two_have_one_id(contexts: Contexts) -> None:
    event_id, order_id = await open_event(contexts[0].database, rows=[10]), new_uuid()

    answers = await place_all(contexts[0], [order_over(event_id, [1, 2], order_id)] * 2)

    assert answers == [2, 0]
    assert await live_places(contexts[0], event_id) == {1: 1, 2: 1}


async def test_nothing_is_written_for_a_cancelled_event_while_others_go_on(
    contexts: Contexts,
) -> None:
    on, off = [await open_event(contexts[0].database, rows=[10]) for _ in range(2)]
    await contexts[0].database.fetch("UPDATE events SET state = 'CANCELLED' WHERE id = $1", off)

    answers = await place_all(contexts[0], [order_over(off, [1]), order_over(on, [1])])

    assert answers == [0, 1]
    assert await live_places(contexts[0], off) == {}


async def test_no_batch_deadlocks_when_processes_write_the_same_buyers_and_places_at_once(
    contexts: Contexts,
) -> None:
    event_id = await open_event(contexts[0].database, rows=[60])
    orders = [order_over(event_id, [place]) for place in range(60)]

    halves = await asyncio.gather(place_all(contexts[0], orders), place_all(contexts[1], orders[::-1]))

    assert all({one, other} == {0, 1} for one, other in zip(halves[0], halves[1][::-1], strict=True))
    assert sum((await live_places(contexts[0], event_id)).values()) == 60
