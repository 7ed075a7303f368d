"""Nobody has more tickets than the limit: races of a person and of a network, with and without each guard."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from db.queries.orders import NewOrder, OrderRow, place_orders
from db.violations import LimitReached
from domain.errors import LimitExceeded, SlowDown
from domain.person import person_of
from domain.ticket_limits import LimitKeys, NetworkLimit
from domain.viewer import Viewer
from kit.lua import LuaScript
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from tests.concurrency.races import live_places
from tests.concurrency.test_placing import place_all
from tests.events import buyer, open_event
from tests.orders import order_over

Contexts = tuple[ServiceContext, ServiceContext]
ANN = buyer("ann")
HOME = "1.1.1.1"
SEATS, LIMIT = 24, 4


async def house(context: ServiceContext) -> UUID:
    return await open_event(context.database, rows=[SEATS], max_tickets_per_person=LIMIT)


async def want_all(contexts: Sequence[ServiceContext], event_id: UUID, *, people: int = 1) -> list[object]:
    """Every seat is asked for at once, by one person or by many of one network; the answers."""
    requests = (
        reserve(
            contexts[seat % len(contexts)],
            buyer(f"p{seat % people}"),
            ReserveRequest(event_id, ExactSeats((seat,))),
            address=HOME,
        )
        for seat in range(SEATS)
    )
    return list(await asyncio.gather(*requests, return_exceptions=True))


async def live_tickets(context: ServiceContext, event_id: UUID) -> int:
    return sum((await live_places(context, event_id)).values())


def remove_the_check_of_limits(context: ServiceContext) -> None:
    """Let hold.lua hold whatever is free."""
    scripts = context.seats._scripts
    careless = scripts["hold"].text.replace("if refusal then return refusal end", "")
    assert careless != scripts["hold"].text
    digest = hashlib.sha1(careless.encode(), usedforsecurity=False).hexdigest()
    scripts["hold"] = LuaScript("hold", careless, digest)


async def remove_from_the_count(context: ServiceContext, guard: str, instead: str) -> None:
    """Change the function that counts live tickets in PostgreSQL."""
    text = await context.database.fetchval(
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'count_live_tickets'"
    )
    careless = text.replace(guard, instead)
    assert careless != text
    await context.database.fetch(careless)


async def remove_the_count(context: ServiceContext) -> None:
    await remove_from_the_count(
        context,
        "SELECT wanted.number, person.have, person.own, coalesce(held.unpaid, 0)",
        "SELECT wanted.number, 0, 0, 0",
    )


async def remove_the_locks(context: ServiceContext) -> None:
    await remove_from_the_count(context, "pg_advisory_xact_lock(locks.key)", "locks.key")


async def test_one_person_has_the_limit_when_all_seats_are_wanted_at_once(contexts: Contexts) -> None:
    event_id = await house(contexts[0])

    answers = await want_all(contexts, event_id)

    assert sum(isinstance(answer, OrderRow) for answer in answers) == LIMIT
    assert sum(isinstance(answer, LimitExceeded) for answer in answers) == SEATS - LIMIT
    assert await live_tickets(contexts[0], event_id) == LIMIT
    assert (await contexts[0].seats.snapshot(event_id)).places.count(b"H") == LIMIT


async def test_postgresql_alone_keeps_the_limit_when_redis_checks_nothing(contexts: Contexts) -> None:
    event_id = await house(contexts[0])
    for context in contexts:
        remove_the_check_of_limits(context)

    answers = await want_all(contexts, event_id)

    assert all(isinstance(answer, (OrderRow, LimitExceeded)) for answer in answers), answers
    assert await live_tickets(contexts[0], event_id) == LIMIT
    assert (await contexts[0].seats.snapshot(event_id)).places.count(b"H") == LIMIT


async def test_redis_alone_keeps_the_limit_when_postgresql_counts_nothing(contexts: Contexts) -> None:
    event_id = await house(contexts[0])
    await remove_the_count(contexts[0])

    await want_all(contexts, event_id)

    assert await live_tickets(contexts[0], event_id) == LIMIT


async def test_control_exceeds_the_limit_when_both_guards_are_gone(contexts: Contexts) -> None:
    event_id = await house(contexts[0])
    await remove_the_count(contexts[0])
    for context in contexts:
        remove_the_check_of_limits(context)

    await want_all(contexts, event_id)

    assert await live_tickets(contexts[0], event_id) == SEATS


async def test_limit_holds_when_redis_is_emptied_again_and_again(contexts: Contexts) -> None:
    event_id = await house(contexts[0])

    async def empty() -> None:
        for _ in range(10):
            await contexts[0].seats._command("FLUSHALL")
            await asyncio.sleep(0)

    await asyncio.gather(want_all(contexts, event_id), empty())

    assert await live_tickets(contexts[0], event_id) == LIMIT


async def test_network_has_the_limit_when_many_people_want_all_seats_at_once(contexts: Contexts) -> None:
    event_id = await house(contexts[0])
    limited = [replace(context, network_limit=NetworkLimit(6)) for context in contexts]

    answers = await want_all(limited, event_id, people=SEATS)

    assert sum(isinstance(answer, SlowDown) for answer in answers) == SEATS - 6
    assert await live_tickets(contexts[0], event_id) == 6


async def test_network_has_the_limit_when_redis_checks_nothing(contexts: Contexts) -> None:
    event_id = await house(contexts[0])
    limited = [replace(context, network_limit=NetworkLimit(6)) for context in contexts]
    for context in contexts:
        remove_the_check_of_limits(context)

    answers = await want_all(limited, event_id, people=SEATS)

    assert all(isinstance(answer, (OrderRow, SlowDown)) for answer in answers), answers
    assert await live_tickets(contexts[0], event_id) == 6


async def test_control_exceeds_the_networks_limit_when_both_guards_are_gone(contexts: Contexts) -> None:
    event_id = await house(contexts[0])
    limited = [replace(context, network_limit=NetworkLimit(6)) for context in contexts]
    await remove_the_count(contexts[0])
    for context in contexts:
        remove_the_check_of_limits(context)

    await want_all(limited, event_id, people=SEATS)

    assert await live_tickets(contexts[0], event_id) == SEATS


def order_of(viewer: Viewer, event_id: UUID, places: Sequence[int]) -> NewOrder:
    """An order that is still to be paid, and counts for a person."""
    order = order_over(event_id, places)
    person = person_of(viewer)
    keys = LimitKeys(person.key, person.address_key, order.row.user_id)
    later = order.row.expires_at.replace(year=2100)
    return replace(order, row=replace(order.row, expires_at=later), keys=keys)


async def test_orders_of_one_statement_are_counted_one_after_another(contexts: Contexts) -> None:
    event_id = await house(contexts[0])
    orders = [order_of(ANN, event_id, places) for places in ([0, 1, 2], [3, 4], [5], [6])]

    answers = await place_all(contexts[0], orders)

    assert [answers[0], answers[2]] == [3, 1]
    assert isinstance(answers[1], LimitReached) and isinstance(answers[3], LimitReached)
    assert await live_tickets(contexts[0], event_id) == LIMIT


async def two_at_once(contexts: Contexts, event_id: UUID) -> list[int | LimitReached]:
    """A second connection places an order of the same person before the first one has committed."""
    database = contexts[0].database
    async with database.connection() as first:
        transaction = first.transaction()
        await transaction.start()
        await place_orders(first, [order_of(ANN, event_id, [0, 1, 2])])
        second = asyncio.create_task(place_orders(database, [order_of(ANN, event_id, [4, 5])]))
        await waits_or_ends(contexts[1], second)
        await transaction.commit()
    return await second


async def waits_or_ends(context: ServiceContext, task: "asyncio.Task[list[int | LimitReached]]") -> None:
    async with asyncio.timeout(5):
        while not task.done():
            if await context.database.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                return
            await asyncio.sleep(0.01)


async def test_second_is_refused_when_it_waited_for_the_first_to_commit(contexts: Contexts) -> None:
    event_id = await house(contexts[0])

    [answer] = await two_at_once(contexts, event_id)

    assert isinstance(answer, LimitReached) and (answer.most, answer.have) == (LIMIT, 3)


async def test_control_exceeds_the_limit_when_the_locks_are_gone(contexts: Contexts) -> None:
    event_id = await house(contexts[0])
    await remove_the_locks(contexts[0])

    [answer] = await two_at_once(contexts, event_id)

    assert answer == 2
    assert await live_tickets(contexts[0], event_id) == 5


@pytest.mark.parametrize("shift", [0, 2])
async def test_nothing_deadlocks_when_two_persons_are_placed_in_either_order(
    contexts: Contexts, shift: int
) -> None:
    event_id = await open_event(contexts[0].database, standing=200, max_tickets_per_person=100)
    people = [buyer(f"p{number}") for number in range(4)]

    async def one(context: ServiceContext, first: int, turn: int) -> list[int | LimitReached]:
        places = iter(range(first, first + 4))
        order = people[turn:] + people[:turn]
        return await place_orders(
            context.database,
            [order_of(person, event_id, [place]) for person, place in zip(order, places, strict=True)],
        )

    answers = await asyncio.gather(
        *(one(contexts[n % 2], n * 4, (n * shift) % 4) for n in range(20)), return_exceptions=True
    )

    assert answers == [[1, 1, 1, 1]] * 20
