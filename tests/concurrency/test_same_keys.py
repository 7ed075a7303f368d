"""Two requests with one idempotency key at the same moment: one answer, whatever others do meanwhile."""

import asyncio
from collections import Counter
from random import Random
from typing import Any
from uuid import UUID

import pytest

from domain.errors import BoxofficeError
from domain.viewer import Viewer
from reservations.outcomes import HoldAnswer, Outcome
from reservations.store import REFUSED_MS
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.release import release
from services.ordering.reserve import reserve
from services.ordering.selection import BestAvailable, ExactSeats, Selection
from tests.events import buyer, open_event

Contexts = tuple[ServiceContext, ServiceContext]
PAIRS = 120


async def answer(context: ServiceContext, viewer: Viewer, event_id: UUID, wanted: Selection, key: str) -> Any:
    """The order's id, or the code of the refusal."""
    try:
        order = await reserve(context, viewer, ReserveRequest(event_id, wanted, idempotency_key=key))
    except BoxofficeError as error:
        return error.code
    return order.id


async def churn(context: ServiceContext, event_id: UUID, name: str, dice: Random) -> None:
    """Somebody who holds seats and lets them go, again and again, always as another person."""
    for number in range(1000):
        viewer = buyer(f"{name}-{number}")
        try:
            order = await reserve(
                context, viewer, ReserveRequest(event_id, ExactSeats((dice.randrange(12),)))
            )
        except BoxofficeError:
            continue
        await release(context, viewer, order.id)


@pytest.mark.parametrize("kind", ["exact", "best"])
async def test_both_answers_are_the_same_when_seats_come_and_go_meanwhile(
    contexts: Contexts, kind: str
) -> None:
    event_id = await open_event(contexts[0].database, rows=[12])
    dice = Random(7)
    churning = [
        asyncio.create_task(churn(contexts[number % 2], event_id, f"c{number}", Random(number)))
        for number in range(6)
    ]
    seen: Counter[bool] = Counter()
    codes: Counter[str] = Counter()
    try:
        for number in range(PAIRS):
            viewer = buyer(f"pair-{number}")
            first = dice.randrange(11)
            wanted = ExactSeats((first, first + 1)) if kind == "exact" else BestAvailable(6 + number % 3)
            twice = (answer(context, viewer, event_id, wanted, f"k{number}") for context in contexts)
            one, other = await asyncio.gather(*twice)
            seen[one == other] += 1
            for each in (one, other):
                codes[each if isinstance(each, str) else "order"] += 1
                if isinstance(each, UUID):
                    await release(contexts[0], viewer, each)
    finally:
        for task in churning:
            task.cancel()
        await asyncio.gather(*churning, return_exceptions=True)

    assert codes["order"] > 10 and len(codes) > 1, codes
    assert seen[False] == 0, (seen, codes)


async def test_a_late_twin_is_refused_as_the_first_and_a_later_try_is_not(contexts: Contexts) -> None:
    one, other = contexts
    event_id = await open_event(one.database, rows=[4])
    ann, bob = buyer("ann"), buyer("bob")
    seats = ExactSeats((0, 1))
    order = await reserve(one, bob, ReserveRequest(event_id, seats))

    first = await answer(one, ann, event_id, seats, "k")
    await release(one, bob, order.id)
    twin = await answer(other, ann, event_id, seats, "k")
    with_another_input = await answer(other, ann, event_id, ExactSeats((0,)), "k")
    without_a_key = await reserve(other, ann, ReserveRequest(event_id, ExactSeats((2, 3))))
    await asyncio.sleep(REFUSED_MS / 1000 + 0.1)
    later = await answer(other, ann, event_id, ExactSeats((1,)), "other")

    assert first == twin == "SEATS_UNAVAILABLE"
    assert isinstance(with_another_input, UUID) and without_a_key and isinstance(later, UUID)


async def test_a_refused_twin_gets_the_order_when_the_other_holds_places(contexts: Contexts) -> None:
    one, other = contexts
    event_id = await open_event(one.database, rows=[4])
    ann = buyer("ann")
    order = await reserve(one, ann, ReserveRequest(event_id, ExactSeats((0, 1)), idempotency_key="k"))
    refused = HoldAnswer(Outcome.TAKEN, 0, (0,))

    found = await other.seats.refuse(event_id, order.id, refused, "request")

    assert found == HoldAnswer(Outcome.REPLAY, 0, (0, 1))
