"""The waiting room: what a person costs Redis, and what a tick costs a process with 5,000 subscribers.

`python -m benchmarks.waiting_room [--most 1000000] [--subscribers 5000]`
"""

import argparse
import asyncio
import contextlib
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from db.migrate import migrate
from db.session import Database
from devservices.postgres import Postgres
from devservices.valkey import Valkey
from domain.viewer import Viewer
from domain.waiting_room import FIRST_UNDRAWN_PLACE
from kit.ids import new_uuid
from kit.lua import Argument, CommandRunner
from pubsub.channels import Channels
from pubsub.redis_backend import RedisBackend
from reservations.connection import batcher, connect_server
from services.waiting_room.admission_controller import AdmissionController
from services.waiting_room.queue_tokens import QueueTokens
from services.waiting_room.waiting_rooms import WaitingRooms
from subscriptions.queue_positions import WaitingRoomHub
from waiting_room.store import Restored, WaitingRoomStore

PER_MINUTE = 10_000
TICK_SECONDS = 0.25
SAMPLES = 2000
TICKS, LEAVERS_A_TICK = 60, 5
MANY = 10**6


class Counted:
    """A runner that counts what it sends."""

    def __init__(self, runner: CommandRunner) -> None:
        self.sent = 0
        self._runner = runner

    async def run(self, *command: Argument) -> Any:
        """Count, and pass on."""
        self.sent += 1
        return await self._runner.run(*command)

    async def servers(self) -> Sequence[CommandRunner]:
        """The servers behind it, uncounted."""
        return await self._runner.servers()


class NoPublisher:
    """A publisher without subscribers."""

    async def publish(self, channel: str, message: str) -> None:
        """Nothing."""


class Bench:
    """The parts, and one event's waiting room."""

    def __init__(self, redis: Redis, database: Database) -> None:
        self.redis = redis
        self.database = database
        self.runner = Counted(batcher(redis))
        self.room = WaitingRoomStore(self.runner)
        self.controller = AdmissionController(database, self.room, NoPublisher())
        self.event_id = new_uuid()

    async def prepare(self, *, max_active: int = MANY) -> None:
        """An event on sale with its waiting room on."""
        await insert_event(self.database, self.event_id)
        await self.database.fetch(
            """
            UPDATE events SET waiting_room_enabled = true, waiting_room_admit_per_minute = $2,
              waiting_room_max_active = $3 WHERE id = $1
            """,
            self.event_id,
            PER_MINUTE,
            max_active,
        )
        await self.database.fetch(
            "INSERT INTO waiting_rooms (event_id, seed) VALUES ($1, '\\x00')", self.event_id
        )
        await self.controller.open(self.event_id)

    async def fill(self, people: int) -> list[UUID]:
        """So many queue entries, written the way a rebuild writes them."""
        generation, _ = await self.room.close(self.event_id)
        users = [new_uuid() for _ in range(people)]
        for start in range(0, people, 5000):
            some = users[start : start + 5000]
            rows = [
                Restored(user, "W", FIRST_UNDRAWN_PLACE + start + n, "", 0) for n, user in enumerate(some)
            ]
            await self.room.restore(self.event_id, generation, rows)
        await self.room.reopen(self.event_id, generation, drawn_ms=1)
        return users

    async def microseconds(self, work: Sequence[Any], at_once: int = 100) -> float:
        """Redis's own time a script, over many of them."""
        await self.redis.config_resetstat()
        for start in range(0, len(work), at_once):
            await asyncio.gather(*(call() for call in work[start : start + at_once]))
        stats: dict[str, Any] = await self.redis.info("commandstats")
        return float(stats["cmdstat_evalsha"]["usec_per_call"])


async def insert_event(database: Database, event_id: UUID) -> None:
    """A published event, on sale for an hour."""
    now = datetime.now(UTC)
    venue_id = new_uuid()
    await database.fetch(
        "INSERT INTO venues (id, name, city, timezone) VALUES ($1, 'Hall', 'Seoul', 'Asia/Seoul')", venue_id
    )
    await database.fetch(
        """
        INSERT INTO seat_maps (version, event_id, layout, seat_count, place_count)
        VALUES ($1, $2, '{}', 0, 0)
        """,
        str(event_id),
        event_id,
    )
    await database.fetch(
        """
        INSERT INTO events (id, name, state, starts_at, on_sale_at, venue_id, seat_map_version,
          max_tickets_per_order) VALUES ($1, 'Concert', 'PUBLISHED', $2, $3, $4, $5, 8)
        """,
        event_id,
        now + timedelta(days=30),
        now - timedelta(hours=1),
        venue_id,
        str(event_id),
    )


async def costs(redis: Redis, database: Database, people: int) -> None:
    """Join, look and tick with so many waiting."""
    await redis.flushall()
    bench = Bench(redis, database)
    await bench.prepare()
    before = (await redis.info("memory"))["used_memory"]
    users = await bench.fill(people)
    memory = ((await redis.info("memory"))["used_memory"] - before) / people
    newcomers = [new_uuid() for _ in range(SAMPLES)]
    event_id, room = bench.event_id, bench.room
    join = await bench.microseconds([lambda user=user: room.join(event_id, user, [0]) for user in newcomers])
    some = users[:: max(1, people // SAMPLES)]
    look = await bench.microseconds([lambda user=user: room.standing(event_id, user) for user in some])
    began = time.perf_counter()
    again = [new_uuid() for _ in range(SAMPLES)]
    await asyncio.gather(*(room.join(event_id, user, [0]) for user in again))
    rate = SAMPLES / (time.perf_counter() - began)

    row = next(row for row in await bench.controller.rows() if row.event_id == event_id)
    await bench.controller.admit(row)
    await redis.config_resetstat()
    admitted, sent, rounds, took = 0, bench.runner.sent, 20, []
    for _ in range(rounds):
        await asyncio.sleep(TICK_SECONDS)
        began = time.perf_counter()
        result = await bench.controller.admit(row)
        took.append((time.perf_counter() - began) * 1000)
        admitted += len(result.tick.newly_admitted)
    stats = await redis.info("commandstats")
    usec = stats["cmdstat_evalsha"]["usec"] / rounds
    print(
        f"{people:>9,} waiting: join {join:5.1f} us, look {look:5.1f} us of Redis; "
        f"tick {usec:6.0f} us for {admitted / rounds:.0f} admitted "
        f"({(bench.runner.sent - sent) / rounds:.1f} requests, "
        f"{statistics.median(took):.1f} ms with PostgreSQL); "
        f"{memory:.0f} B a person; one client {rate:,.0f} joins/s"
    )
    await database.fetch("UPDATE events SET waiting_room_enabled = false")


class Subscribers:
    """Live positions of one process, and how long each update took from its tick."""

    def __init__(self, hub: WaitingRoomHub, event_id: UUID) -> None:
        self._hub = hub
        self._event_id = event_id
        self.published_at = time.perf_counter()
        self.latencies_ms: list[float] = []

    async def follow(self, user: UUID) -> None:
        """One subscriber, until cancelled; its first position is no update."""
        viewer = Viewer(user, str(user), None, None, frozenset({"buy"}))
        first = True
        async for _ in self._hub.stream(viewer, self._event_id):
            if not first:
                self.latencies_ms.append((time.perf_counter() - self.published_at) * 1000)
            first = False

    async def ticks(
        self, bench: Bench, controller: AdmissionController, leavers: Iterator[UUID]
    ) -> list[float]:
        """Ticks in which some are admitted and some leave; how long each blocked the loop, in ms."""
        row = next(row for row in await controller.rows() if row.event_id == self._event_id)
        lags_ms = []
        for _ in range(TICKS):
            for leaver in islice(leavers, LEAVERS_A_TICK):
                await bench.room.leave(self._event_id, leaver)
            result = await controller.admit(row)
            self.published_at = began = time.perf_counter()
            await controller.publish(row, result)
            await asyncio.sleep(0)
            await asyncio.sleep(0.005)
            lags_ms.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(TICK_SECONDS)
        return lags_ms


async def subscribers(redis: Redis, database: Database, number: int) -> None:
    """So many live positions in one process while people are admitted and leave."""
    await redis.flushall()
    bench = Bench(redis, database)
    await bench.prepare()
    users = await bench.fill(number * 4)
    channels = Channels(RedisBackend(redis))
    await channels.open()
    controller = AdmissionController(database, bench.room, channels)
    hub = WaitingRoomHub(WaitingRooms(database, bench.room, QueueTokens("bench"), controller), channels)
    subscribed = Subscribers(hub, bench.event_id)
    tasks = [asyncio.create_task(subscribed.follow(user)) for user in users[-number:]]
    while hub.members < number:
        await asyncio.sleep(0.1)
    subscribed.latencies_ms.clear()
    cpu, wall = time.process_time(), time.perf_counter()
    lags_ms = await subscribed.ticks(bench, controller, iter(users))
    seconds = time.perf_counter() - wall
    share = (time.process_time() - cpu) / seconds
    quick = sorted(subscribed.latencies_ms)
    print(
        f"{number:,} subscribers: {len(quick) / seconds:,.0f} entries/s sent, {share:.0%} of one core, "
        f"received {quick[len(quick) // 2]:.0f} ms (median) and {quick[len(quick) * 99 // 100]:.0f} ms (p99) "
        f"after a tick; the loop was blocked for at most {max(lags_ms):.0f} ms"
    )
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    hub.close()
    await channels.close()


@contextlib.asynccontextmanager
async def parts() -> AsyncIterator[tuple[Redis, Database]]:
    """A Valkey and a PostgreSQL that are gone afterwards."""
    with tempfile.TemporaryDirectory() as home:
        postgres = Postgres(Path(home), password="bench", durable=False)
        valkey = Valkey(Path(home), password="bench")
        for part in (postgres, valkey):
            await asyncio.to_thread(part.start)
        await migrate(postgres.url())
        redis = connect_server(valkey.url(), 20)
        database = Database(postgres.url())
        try:
            yield redis, database
        finally:
            await redis.aclose()
            await database.close()
            for part in (valkey, postgres):
                await asyncio.to_thread(part.stop)


async def measure(most: int, number: int) -> None:
    """Everything, on fresh parts."""
    async with parts() as (redis, database):
        for people in (1000, 100_000, 1_000_000):
            if people <= most:
                await costs(redis, database, people)
        await subscribers(redis, database, number)


def main() -> None:
    """Print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--most", type=int, default=1_000_000)
    arguments.add_argument("--subscribers", type=int, default=5000)
    chosen = arguments.parse_args()
    asyncio.run(measure(chosen.most, chosen.subscribers))


if __name__ == "__main__":
    main()
