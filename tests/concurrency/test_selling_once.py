"""No place is sold twice: what two hundred buyers at two contexts get, with each guard and without it."""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from db.queries.orders import OrderRow, claims_of_orders, place_orders
from db.sql import statement
from db.violations import LimitReached, PlaceTaken
from domain.errors import SeatsGone
from reservations.outcomes import HoldAnswer
from reservations.store import SeatStore
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.reserve import reserve
from services.ordering.selection import BestAvailable, ExactSeats, GeneralAdmission, Selection
from tests.concurrency.races import (
    live_places,
    orders_of,
    oversold,
    remove_the_check,
    remove_the_index,
    rush,
)
from tests.events import buyer, open_event
from tests.orders import order_over

Contexts = tuple[ServiceContext, ServiceContext]
ANY = random.Random(20271231)


def two_of_twenty(number: int) -> Selection:
    return ExactSeats(tuple(ANY.sample(range(20), 2)))


def best_two(number: int) -> Selection:
    return BestAvailable(2)


async def twenty_seats(context: ServiceContext) -> UUID:
    return await open_event(context.database, rows=[10, 10])


async def same_as_claimed(context: ServiceContext, orders: Sequence[OrderRow], each: int) -> None:
    """Every order has all its places, and the map shows exactly those."""
    claims = await claims_of_orders(context.database, [order.id for order in orders])
    by_order = {order.id: [c.place for c in claims if c.order_id == order.id] for order in orders}
    assert all(len(places) == each for places in by_order.values())
    places = (await context.seats.snapshot(orders[0].event_id)).places
    assert sorted(c.place for c in claims) == [i for i, state in enumerate(places) if state == ord("H")]


@pytest.mark.parametrize("selection", [two_of_twenty, best_two])
async def test_each_seat_is_sold_once_when_two_hundred_want_twenty(
    contexts: Contexts, selection: Callable[[int], Selection]
) -> None:
    event_id = await twenty_seats(contexts[0])

    orders = orders_of(await rush(contexts, event_id, 200, selection))

    assert not await oversold(contexts[0], event_id)
    await same_as_claimed(contexts[0], orders, 2)
    assert len(orders) <= 10


async def test_the_house_is_full_when_everybody_takes_the_best(contexts: Contexts) -> None:
    event_id = await twenty_seats(contexts[0])

    orders = orders_of(await rush(contexts, event_id, 200, best_two))

    assert len(orders) == 10


async def test_every_place_is_sold_once_when_two_hundred_want_five_hundred(contexts: Contexts) -> None:
    event_id = await open_event(contexts[0].database, standing=500)

    orders = orders_of(await rush(contexts, event_id, 200, lambda _: GeneralAdmission(0, 3)))

    assert len(orders) == 500 // 3
    assert not await oversold(contexts[0], event_id)
    await same_as_claimed(contexts[0], orders, 3)


@pytest.mark.parametrize("selection", [two_of_twenty, lambda _: GeneralAdmission(1, 2)])
async def test_postgresql_alone_sells_once_when_redis_checks_nothing(
    contexts: Contexts, selection: Callable[[int], Selection]
) -> None:
    event_id = await open_event(contexts[0].database, rows=[10, 10], standing=20)
    for context in contexts:
        remove_the_check(context)

    orders = orders_of(await rush(contexts, event_id, 60, selection))

    assert orders
    assert not await oversold(contexts[0], event_id)


@pytest.mark.parametrize("selection", [two_of_twenty, lambda _: GeneralAdmission(1, 2)])
async def test_control_oversells_when_both_guards_are_gone(
    contexts: Contexts, selection: Callable[[int], Selection]
) -> None:
    event_id = await open_event(contexts[0].database, rows=[10, 10], standing=20)
    await remove_the_index(contexts[0])
    for context in contexts:
        remove_the_check(context)

    await rush(contexts, event_id, 60, selection)

    assert await oversold(contexts[0], event_id)


class SlowStore(SeatStore):
    """A store whose buyers dawdle between their hold and their order."""

    held: asyncio.Event
    go_on: asyncio.Event

    @classmethod
    def at(cls, context: ServiceContext) -> "SlowStore":
        store = cls(context.seats._runner, context.seats._load_seat_source, context.clock)
        store.held, store.go_on = asyncio.Event(), asyncio.Event()
        object.__setattr__(context, "seats", store)
        return store

    async def hold(self, *given: Any, **named: Any) -> HoldAnswer:
        answer = await super().hold(*given, **named)
        self.held.set()
        await self.go_on.wait()
        return answer


async def both_hold_the_same_seat(contexts: Contexts, event_id: UUID) -> OrderRow | BaseException:
    """One holds in Redis, which then loses everything; another buys; the first one's order arrives."""
    store = SlowStore.at(contexts[0])
    request = ReserveRequest(event_id, ExactSeats((3,)))
    slow = asyncio.create_task(reserve(contexts[0], buyer("slow"), request))
    await store.held.wait()
    await contexts[1].seats._command("FLUSHALL")
    await reserve(contexts[1], buyer("quick"), request)
    store.go_on.set()
    return (await asyncio.gather(slow, return_exceptions=True))[0]


async def test_second_order_is_refused_when_redis_forgot_the_first_hold(contexts: Contexts) -> None:
    event_id = await twenty_seats(contexts[0])

    answer = await both_hold_the_same_seat(contexts, event_id)

    assert isinstance(answer, SeatsGone) and answer.places == (3,)
    assert await live_places(contexts[0], event_id) == {3: 1}


async def test_control_oversells_when_redis_forgot_and_the_index_is_gone(contexts: Contexts) -> None:
    event_id = await twenty_seats(contexts[0])
    await remove_the_index(contexts[0])

    await both_hold_the_same_seat(contexts, event_id)

    assert await oversold(contexts[0], event_id) == [3]


async def test_nothing_is_sold_twice_when_redis_is_emptied_again_and_again(contexts: Contexts) -> None:
    event_id = await open_event(contexts[0].database, standing=100)

    async def empty() -> None:
        for _ in range(10):
            await contexts[0].seats._command("FLUSHALL")
            await asyncio.sleep(0)

    answers, _ = await asyncio.gather(
        rush(contexts, event_id, 150, lambda _: GeneralAdmission(0, 1)), empty()
    )

    orders_of(answers)
    assert not await oversold(contexts[0], event_id)


SIXTY = 60


async def test_no_order_deadlocks_when_all_name_the_same_seats_in_other_orders(contexts: Contexts) -> None:
    event_id = await open_event(contexts[0].database, rows=[SIXTY], max_tickets_per_order=SIXTY)
    for context in contexts:
        remove_the_check(context)

    answers = await rush(contexts, event_id, 24, lambda _: ExactSeats(tuple(ANY.sample(range(SIXTY), SIXTY))))

    assert len(orders_of(answers)) == 1


async def two_meet_behind_a_third(
    context: ServiceContext, first: Sequence[int], second: Sequence[int]
) -> list[list[int | LimitReached] | BaseException]:
    """Two inserts wait for seat 5, which a third one has and then gives up."""
    event_id = await open_event(context.database, rows=[SIXTY])
    async with context.database.connection() as third:
        transaction = third.transaction()
        await transaction.start()
        await place_orders(third, [order_over(event_id, [5])])
        tasks = [
            asyncio.create_task(place_orders(context.database, [order_over(event_id, places)]))
            for places in (first, second)
        ]
        await two_wait(context)
        await transaction.rollback()
    return await asyncio.gather(*tasks, return_exceptions=True)


async def two_wait(context: ServiceContext) -> None:
    async with asyncio.timeout(5):
        while await context.database.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") < 2:
            await asyncio.sleep(0.01)


def remove_the_sorting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the claims of an order go in as they come."""
    text = statement("place_orders")
    careless = text.replace("  ORDER BY wanted.event_id, claim.place\n", "")
    assert careless != text
    monkeypatch.setattr("db.queries.orders.statement", lambda name: careless)


async def test_one_wins_when_two_overlap_in_other_orders(contexts: Contexts) -> None:
    answers = await two_meet_behind_a_third(contexts[0], [1, 5, 9], [9, 5, 1])

    assert {type(answer) for answer in answers} == {list, PlaceTaken}


async def test_control_deadlocks_when_two_that_overlap_are_not_sorted(
    contexts: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove_the_sorting(monkeypatch)

    answers = await two_meet_behind_a_third(contexts[0], [1, 5, 9], [9, 5, 1])

    assert any(isinstance(answer, asyncpg.DeadlockDetectedError) for answer in answers)


async def test_one_order_when_one_key_comes_in_at_two_processes_at_once(contexts: Contexts) -> None:
    event_id = await twenty_seats(contexts[0])
    request = ReserveRequest(event_id, BestAvailable(3), idempotency_key="once")

    orders = await asyncio.gather(*(reserve(contexts[n % 2], buyer("ann"), request) for n in range(40)))

    assert len({order.id for order in orders}) == 1
    assert sum((await live_places(contexts[0], event_id)).values()) == 3
    assert (await contexts[0].seats.snapshot(event_id)).places.count(b"H") == 3
