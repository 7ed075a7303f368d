"""What a watcher folds from updates is what the server has, through a rush and a lost Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from domain.updates import SeatAvailabilityUpdate
from pubsub.channels import Channels
from pubsub.redis_backend import RedisBackend
from reservations.connection import connect
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.release import release
from services.ordering.reserve import reserve
from services.ordering.selection import BestAvailable, ExactSeats
from subscriptions import seat_topic
from subscriptions.seat_availability import SeatHub
from tests.concurrency.races import REFUSALS, rush, until_quiet
from tests.events import buyer, open_event

Contexts = tuple[ServiceContext, ServiceContext]


class Watching:
    """A strict client: it folds the updates that it receives and counts the gaps that it sees."""

    def __init__(self, drop: Callable[[int], bool] = lambda _: False) -> None:
        self.map: list[str] = []
        self.version = -1
        self.gaps = 0
        self.received = 0
        self._drop = drop

    async def follow(self, stream: AsyncIterator[SeatAvailabilityUpdate]) -> None:
        async for update in stream:
            self.received += 1
            if not self._drop(self.received):
                self._take(update)

    def _take(self, update: SeatAvailabilityUpdate) -> None:
        if update.statuses is not None:
            self.map = list(update.statuses)
        else:
            self.gaps += update.previous_version != self.version
            for index, status in update.changes:
                self.map[index] = status
        self.version = update.version


@asynccontextmanager
async def watched(
    contexts: Contexts, redis_url: str, event_id: UUID, watchers: list[Watching]
) -> AsyncIterator[None]:
    """Every watcher at its own process, on top of the contexts by turns."""
    hubs, clients, tasks = [], [], []
    for number, watching in enumerate(watchers):
        client = connect(redis_url, 10)
        channels = Channels(RedisBackend(client))
        await channels.open()
        hub = SeatHub(contexts[number % 2], channels)
        clients.append((client, channels))
        hubs.append(hub)
        tasks.append(asyncio.create_task(watching.follow(hub.stream(event_id))))
    try:
        await until(lambda: all(watching.version >= 0 for watching in watchers))
        yield
    finally:
        await ended(tasks)
        for hub in hubs:
            hub.close()
        for client, channels in clients:
            await channels.close()
            await client.aclose()


async def ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.02)


async def the_map(context: ServiceContext, event_id: UUID) -> tuple[list[str], int]:
    snapshot = await context.seats.snapshot(event_id)
    return list(snapshot.places.decode()), snapshot.version


async def busy(contexts: Contexts, event_id: UUID) -> None:
    """Buyers who come, hold and let go."""

    async def come(number: int) -> None:
        who = buyer(f"w{number}")
        try:
            order = await reserve(contexts[number % 2], who, ReserveRequest(event_id, BestAvailable(2)))
        except REFUSALS:
            return
        if number % 3:
            await release(contexts[(number + 1) % 2], who, order.id)

    for first in range(0, 60, 10):
        await asyncio.gather(*(come(number) for number in range(first, first + 10)))


async def test_folded_map_is_the_servers_when_a_rush_is_over(contexts: Contexts, redis_url: str) -> None:
    event_id = await open_event(contexts[0].database, rows=[10, 10, 10])
    watchers = [Watching(), Watching()]

    async with watched(contexts, redis_url, event_id, watchers):
        await busy(contexts, event_id)
        await until_quiet(contexts)
        places, version = await the_map(contexts[0], event_id)
        await until(lambda: all(watching.version == version for watching in watchers))

    assert [(watching.map, watching.gaps) for watching in watchers] == [(places, 0)] * 2


async def test_each_watcher_is_notified_once_when_it_joins_during_a_notification(
    contexts: Contexts, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seat_topic, "SENT_AT_ONCE", 1)  # so that telling all takes many turns of the loop
    event_id = await open_event(contexts[0].database, rows=[10, 10, 10])
    client = connect(redis_url, 10)
    channels = Channels(RedisBackend(client))
    await channels.open()
    hub = SeatHub(contexts[0], channels)
    watchers = [Watching()]
    tasks = [asyncio.create_task(watchers[0].follow(hub.stream(event_id)))]
    await until(lambda: watchers[0].version >= 0)

    selling = asyncio.create_task(busy(contexts, event_id))
    while not selling.done() or len(watchers) < 100:
        before = watchers[len(watchers) // 2]
        again = Watching()
        again.map, again.version = list(before.map), before.version
        for watching, since in ((Watching(), None), (again, before.version)):
            watchers.append(watching)
            tasks.append(asyncio.create_task(watching.follow(hub.stream(event_id, since))))
        await asyncio.sleep(0.002)
    await selling
    await until_quiet(contexts)
    places, version = await the_map(contexts[0], event_id)
    await until(lambda: all(watching.version == version for watching in watchers))
    await ended(tasks)
    hub.close()
    await channels.close()
    await client.aclose()

    assert [(watching.map, watching.gaps) for watching in watchers] == [(places, 0)] * len(watchers)


async def test_the_others_are_notified_when_one_of_them_fails(contexts: Contexts, redis_url: str) -> None:
    event_id = await open_event(contexts[0].database, rows=[10])
    client = connect(redis_url, 10)
    channels = Channels(RedisBackend(client))
    await channels.open()
    hub = SeatHub(contexts[0], channels)
    broken = hub.stream(event_id)
    await anext(broken)

    def fail() -> None:
        raise RuntimeError("a fault of ours")

    buffer = broken.attach(fail)
    watching = Watching()
    task = asyncio.create_task(watching.follow(hub.stream(event_id)))
    await until(lambda: watching.version >= 0)
    for place in range(2):
        await reserve(contexts[1], buyer(f"o{place}"), ReserveRequest(event_id, ExactSeats((place,))))
    places, version = await the_map(contexts[0], event_id)
    await until(lambda: watching.version == version)
    await ended([task])
    hub.close()
    await channels.close()
    await client.aclose()

    assert buffer.ended
    assert (watching.map, watching.gaps) == (places, 0)


async def test_folded_map_is_the_servers_when_redis_was_lost_on_the_way(
    contexts: Contexts, redis_url: str
) -> None:
    event_id = await open_event(contexts[0].database, rows=[10, 10, 10])
    watchers = [Watching(), Watching()]

    async with watched(contexts, redis_url, event_id, watchers):
        await rush(contexts, event_id, 10, lambda _: BestAvailable(1))
        await contexts[0].seats._command("FLUSHALL")
        await rush(contexts, event_id, 30, lambda _: BestAvailable(1))
        await until_quiet(contexts)
        places, version = await the_map(contexts[0], event_id)
        await until(lambda: all(watching.version == version for watching in watchers))

    assert [watching.map for watching in watchers] == [places] * 2
    assert places.count("H") == 30


async def test_control_shows_a_gap_when_an_update_is_lost(contexts: Contexts, redis_url: str) -> None:
    event_id = await open_event(contexts[0].database, rows=[10])
    lossy = Watching(drop=lambda number: number == 2)

    async with watched(contexts, redis_url, event_id, [lossy]):
        for place in range(2):
            received = lossy.received
            await reserve(contexts[0], buyer(f"g{place}"), ReserveRequest(event_id, ExactSeats((place,))))
            await until(lambda received=received: lossy.received > received)  # type: ignore[misc]

    assert lossy.gaps == 1
    assert lossy.map != (await the_map(contexts[0], event_id))[0]


async def test_a_snapshot_comes_when_the_version_to_go_on_from_is_none_that_ever_was(
    contexts: Contexts, redis_url: str
) -> None:
    event_id = await open_event(contexts[0].database, rows=[10])
    client = connect(redis_url, 10)
    channels = Channels(RedisBackend(client))
    await channels.open()
    hub = SeatHub(contexts[0], channels)
    first = [await anext(hub.stream(event_id, since)) for since in (-1, -2, 10**9)]
    hub.close()
    await channels.close()
    await client.aclose()

    assert [update.statuses for update in first] == ["A" * 10] * 3
