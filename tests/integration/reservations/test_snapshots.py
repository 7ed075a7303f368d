"""Maps that many read at once: one script for all, no places sent twice, and never an old one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

import pytest

from kit.lua import Argument
from pubsub.channels import Channels, Mailbox
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from subscriptions import seat_topic
from subscriptions.seat_availability import SeatHub
from tests.events import ManualClock, buyer, open_event


class DeafChannels(Channels):
    """The pub/sub of a process that hears nothing."""

    def __init__(self) -> None:
        super().__init__(cast(Any, None))

    @asynccontextmanager
    async def subscribe(self, channel: str, most: int = 256) -> AsyncIterator[Mailbox]:
        yield Mailbox(most)


async def hold(context: ServiceContext, event_id: UUID, *places: int) -> None:
    await reserve(context, buyer("ann"), ReserveRequest(event_id, ExactSeats(places)))


@pytest.fixture
def asked(context: ServiceContext, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often Redis was asked for a snapshot, and the bytes of places that it sent."""
    counted: Counter[str] = Counter()
    script = context.seats._script

    async def count(name: str, keys: Any, *arguments: Argument, **named: Any) -> Any:
        answer = await script(name, keys, *arguments, **named)
        if name == "snapshot":
            counted["scripts"] += 1
            counted["bytes"] += len(answer[2])
        return answer

    monkeypatch.setattr(context.seats, "_script", count)
    return counted


async def test_a_hundred_readers_at_once_cost_one_script(
    context: ServiceContext, asked: Counter[str]
) -> None:
    event_id = await open_event(context.database, rows=[50])
    await context.seats.build(event_id)

    maps = await asyncio.gather(*(context.seats.snapshot(event_id) for _ in range(100)))

    assert asked == {"scripts": 1, "bytes": 50}
    assert {each.places for each in maps} == {b"A" * 50}


async def test_places_are_sent_again_only_when_they_have_changed(
    context: ServiceContext, asked: Counter[str]
) -> None:
    event_id = await open_event(context.database, rows=[50])
    await context.seats.build(event_id)
    first = await context.seats.snapshot(event_id)

    again = await context.seats.snapshot(event_id)
    await hold(context, event_id, 1)
    changed = await context.seats.snapshot(event_id)

    assert (again, asked["bytes"]) == (first, 100)
    assert changed.places == b"AH" + b"A" * 48


async def test_a_map_is_read_whole_when_the_event_was_built_anew(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[4])
    await hold(context, event_id, 1)
    before = await context.seats.snapshot(event_id)

    await context.seats._command("FLUSHALL")
    after = await context.seats.snapshot(event_id)

    assert after.places == before.places == b"AHAA"
    assert after.epoch != before.epoch
    assert after.version > before.version


async def test_a_lapsed_hold_is_over_for_a_reader_whose_map_has_not_changed(
    context: ServiceContext, clock: ManualClock
) -> None:
    event_id = await open_event(context.database, rows=[4])
    await hold(context, event_id, 1)
    assert (await context.seats.snapshot(event_id)).places == b"AHAA"

    clock.advance(seconds=481)

    assert (await context.seats.snapshot(event_id)).places == b"AAAA"


async def test_a_client_that_comes_from_another_process_gets_no_older_map_than_it_has(
    context: ServiceContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This process has not heard of the change; without asking it would send the map before it."""
    monkeypatch.setattr(seat_topic, "POLL_SECONDS", 60.0)
    event_id = await open_event(context.database, rows=[4])
    hub = SeatHub(context, DeafChannels())
    staying = hub.stream(event_id)
    first = await anext(staying)
    await hold(context, event_id, 2)
    seen_elsewhere = await context.seats.version(event_id)
    assert seen_elsewhere is not None

    stream = hub.stream(event_id, since_version=seen_elsewhere[1])
    topic = await hub.topic(event_id)
    starting = asyncio.create_task(anext(stream))
    async with asyncio.timeout(5):
        while topic.version < seen_elsewhere[1]:
            await asyncio.sleep(0.01)
    await hold(context, event_id, 3)
    assert topic._mailbox is not None
    topic._mailbox.put("a change")
    update = await asyncio.wait_for(starting, 5)
    hub.close()

    assert first.version < seen_elsewhere[1]
    assert (update.previous_version, update.changes) == (seen_elsewhere[1], ((3, "H"),))


async def test_nothing_is_waited_for_when_redis_has_no_such_version(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[4])
    hub = SeatHub(context, DeafChannels())

    async with asyncio.timeout(2):
        update = await anext(hub.stream(event_id, since_version=10**9))

    hub.close()
    assert update.statuses == "AAAA"
