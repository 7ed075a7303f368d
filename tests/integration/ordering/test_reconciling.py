"""Reconciliation looks at what has changed, and at all else in turn; maps end with their events."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import pytest

from db.queries.built_maps import built_events
from domain.errors import Unavailable
from kit.clock import milliseconds
from reservations.keys import event_keys
from services.context import ServiceContext
from services.ordering import reconcile
from services.ordering.attempt import ReserveRequest
from services.ordering.reconcile import Difference
from services.ordering.reserve import reserve
from services.ordering.retire_maps import retire_maps
from services.ordering.selection import ExactSeats
from tests.events import ManualClock, buyer, open_event
from workers.ordering import LapseSweep
from workers.reconciliation import ROTATION_SECONDS, Reconciliation

FIRST = UUID(int=0)


async def sold(context: ServiceContext) -> UUID:
    event_id = await open_event(context.database, rows=[4])
    await reserve(context, buyer("ann"), ReserveRequest(event_id, ExactSeats((0,))))
    return event_id


async def damage(context: ServiceContext, event_id: UUID) -> None:
    await context.seats._command("SETRANGE", event_keys(event_id).places, 0, "A")


async def places(context: ServiceContext, event_id: UUID) -> bytes:
    return bytes(await context.seats._command("GET", event_keys(event_id).places))


async def listed(context: ServiceContext) -> set[UUID]:
    """The events of the list, once what is written beside the requests is written."""
    await asyncio.gather(*context.seats.changed._tasks)
    return set(await context.seats.changed.since(0))


def without_time() -> Callable[[], float]:
    """A timer by which the time for events that have not changed is over at once."""
    times = iter(range(1_000_000))
    return lambda: next(times) * 2 * ROTATION_SECONDS


async def test_an_event_is_listed_when_its_places_change(context: ServiceContext, clock: ManualClock) -> None:
    event_id = await sold(context)

    assert await listed(context) == {event_id}
    clock.advance(seconds=60)
    later_ms = milliseconds(clock())
    assert await context.seats.changed.since(later_ms) == []
    await context.seats.changed.forget_before(later_ms)
    assert await listed(context) == set()


async def test_a_changed_event_is_corrected_when_there_is_no_time_for_others(context: ServiceContext) -> None:
    event_id = await sold(context)
    await listed(context)
    await damage(context, event_id)
    rounds = Reconciliation(context, without_time())

    await rounds()
    assert await places(context, event_id) == b"AAAA"
    await rounds()

    assert await places(context, event_id) == b"HAAA"


async def test_an_unchanged_event_is_corrected_when_its_turn_comes(
    context: ServiceContext, clock: ManualClock
) -> None:
    events = [await sold(context) for _ in range(5)]
    await listed(context)
    await context.seats.changed.forget_before(milliseconds(clock()) + 60_000)
    for event_id in events:
        await damage(context, event_id)
    impatient, patient = Reconciliation(context, without_time()), Reconciliation(context)

    await impatient()
    await impatient()
    assert [await places(context, event_id) for event_id in events] == [b"AAAA"] * 5
    await patient()
    await patient()

    assert [await places(context, event_id) for event_id in events] == [b"HAAA"] * 5


async def test_the_turn_passes_every_event_when_each_round_has_time_for_one(
    context: ServiceContext, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = sorted([await sold(context) for _ in range(3)])
    await listed(context)
    await context.seats.changed.forget_before(milliseconds(clock()) + 60_000)
    compared: list[UUID] = []

    async def watched(_: ServiceContext, event_id: UUID) -> frozenset[Difference]:
        compared.append(event_id)
        return frozenset()

    monkeypatch.setattr("workers.reconciliation.differences", watched)
    times = iter(range(1_000_000))
    rounds = Reconciliation(context, lambda: next(times) * ROTATION_SECONDS * 0.6)

    for _ in range(8):
        await rounds()

    assert compared[:6] == [*events, *events]


async def test_an_event_that_fails_ends_the_round_for_no_other(
    context: ServiceContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = [await sold(context) for _ in range(2)]
    await listed(context)
    for event_id in (bad, good):
        await damage(context, event_id)
    compare = reconcile.differences

    async def failing(given: ServiceContext, event_id: UUID) -> frozenset[Difference]:
        if event_id == bad:
            raise Unavailable
        return await compare(given, event_id)

    monkeypatch.setattr("workers.reconciliation.differences", failing)
    rounds = Reconciliation(context)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await rounds()
    assert (await places(context, good), await places(context, bad)) == (b"HAAA", b"AAAA")

    monkeypatch.setattr("workers.reconciliation.differences", compare)
    await rounds()
    await rounds()
    assert await places(context, bad) == b"HAAA"


async def test_a_hold_without_an_order_is_swept_when_it_lapses(
    context: ServiceContext, clock: ManualClock
) -> None:
    event_id = await sold(context)
    await context.database.fetch("DELETE FROM claims")
    await listed(context)
    clock.advance(seconds=481)

    assert await LapseSweep(context)() == 1

    assert await places(context, event_id) == b"AAAA"


async def test_a_map_ends_with_its_event_and_is_built_again_when_somebody_asks(
    context: ServiceContext, clock: ManualClock
) -> None:
    event_id = await sold(context)
    before = await context.seats.snapshot(event_id)
    assert await retire_maps(context) == 0
    clock.advance(days=31)
    await context.seats.lapse(event_id)

    assert await retire_maps(context) == 1

    assert [key for key in vars_of(event_id) if await context.seats._command("EXISTS", key)] == []
    assert await built_events(context.database, FIRST, 10) == []
    again = await context.seats.snapshot(event_id)
    assert again.epoch != before.epoch and again.version > before.version
    assert await built_events(context.database, FIRST, 10) == [event_id]


async def test_a_map_stays_when_a_hold_of_it_is_live(context: ServiceContext, clock: ManualClock) -> None:
    event_id = await sold(context)
    await context.seats.extend(event_id, UUID(bytes=await only_hold(context, event_id)), None)
    clock.advance(days=31)

    assert await retire_maps(context) == 0

    assert await places(context, event_id) == b"HAAA"


async def test_a_map_counts_as_built_when_it_was_built_while_it_ended(
    context: ServiceContext, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id = await sold(context)
    clock.advance(days=31)
    await context.seats.lapse(event_id)
    retire = context.seats.retire

    async def retire_and_read(given: UUID) -> bool:
        retired = await retire(given)
        await context.seats.snapshot(given)
        return retired

    monkeypatch.setattr(context.seats, "retire", retire_and_read)

    assert await retire_maps(context) == 1

    assert await built_events(context.database, FIRST, 10) == [event_id]


def vars_of(event_id: UUID) -> list[str]:
    keys = event_keys(event_id)
    return [keys.places, keys.meta, keys.claims, keys.deadlines, keys.buyers, keys.deltas]


async def only_hold(context: ServiceContext, event_id: UUID) -> bytes:
    return UUID(next(iter(await context.seats.holds(event_id)))).bytes
