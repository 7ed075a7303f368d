"""Thousands of open `queuePosition` subscriptions on one API process, over WebSocket.

    python -m benchmarks.queue_sockets [--subscribers 5000] [--seconds 20]

The API process has core 0 to itself; the receivers and every other part run on core 1. Each subscriber is
another account in one waiting room that admits 10,000 a minute. A delay counts from when a second
listener receives the tick on its channel until the subscriber has the bytes.
"""

import argparse
import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator

from redis.asyncio import Redis

from benchmarks.installation import LOAD_CORE, Installation, open_installation
from benchmarks.load import cpu_seconds
from benchmarks.sample_events import ORGANISER, ask, create_event, standing
from benchmarks.sockets import Audience
from commands.configuration import settings_of_running
from domain.ids import Kind, parse_id, user_id_of
from reservations.connection import batcher, connect_server
from waiting_room.keys import waiting_room_keys
from waiting_room.store import WaitingRoomStore

PER_MINUTE = 10_000
AHEAD = 6_000
CONNECTING_AT_ONCE = 50
JOINING_AT_ONCE = 500
SUBSCRIBE = """subscription Place($id: ID!) {
  queuePosition(eventId: $id) { id state position ahead etaSeconds admission { token expiresAt } }
}"""
CONFIGURE = """mutation ($input: ConfigureWaitingRoomInput!) {
  configureWaitingRoom(input: $input) { __typename }
}"""


class Ticks:
    """Receives the same ticks as the API process does."""

    def __init__(self, redis: Redis, channel: str) -> None:
        self._redis = redis
        self._channel = channel
        self.received_at_ns = time.monotonic_ns()
        self.number = 0

    def last_ns(self, _: bytes) -> int:
        """When the tick arrived that a message follows."""
        return self.received_at_ns

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """While this is open."""
        async with self._redis.pubsub() as channel:
            await channel.ssubscribe(self._channel)
            task = asyncio.create_task(self._listen(channel.listen()))
            try:
                yield
            finally:
                task.cancel()

    async def _listen(self, messages: AsyncIterator[object]) -> None:
        async for _ in messages:
            self.received_at_ns = time.monotonic_ns()
            self.number += 1


def open_waiting_room(installation: Installation) -> str:
    """An event on sale with its waiting room on."""
    event = create_event(
        installation, name="Stadium", onSaleAt="2020-01-01T10:00:00Z", generalAdmission=[standing(60_000)]
    )
    settings = {"eventId": event["id"], "enabled": True, "admitPerMinute": PER_MINUTE, "maxActive": 60_000}
    answer = ask(installation, CONFIGURE, {"input": settings}, installation.token(ORGANISER, "organise"))
    assert answer["configureWaitingRoom"]["__typename"] == "EventSuccess", answer
    return str(event["id"])


async def join(room: WaitingRoomStore, event_id: str, subjects: list[str]) -> None:
    """Everyone joins, in this order."""
    key = parse_id(event_id, Kind.EVENT)
    for start in range(0, len(subjects), JOINING_AT_ONCE):
        some = subjects[start : start + JOINING_AT_ONCE]
        await asyncio.gather(*(room.join(key, user_id_of(subject), [0]) for subject in some))


async def subscribe(
    audience: Audience, installation: Installation, event_id: str, subjects: list[str]
) -> None:
    """One socket an account, each sent its position once."""
    gate = asyncio.Semaphore(CONNECTING_AT_ONCE)
    payload = {"query": SUBSCRIBE, "variables": {"id": event_id}}

    async def one(subject: str) -> None:
        hello = {
            "type": "connection_init",
            "payload": {"Authorization": f"Bearer {installation.token(subject, 'buy')}"},
        }
        greeting = [json.dumps(hello), json.dumps({"id": "1", "type": "subscribe", "payload": payload})]
        async with gate:
            await audience.fill(1, installation.port, "/graphql", [text.encode() for text in greeting], 2)

    await asyncio.gather(*(one(subject) for subject in subjects))


async def measure(installation: Installation, pid: int, subscribers: int, seconds: float) -> None:
    """Fill the waiting room, watch it for a while, print the figures."""
    event_id = open_waiting_room(installation)
    redis = connect_server(settings_of_running(str(installation.data_dir)).redis_url, 8)
    ticks = Ticks(redis, waiting_room_keys(parse_id(event_id, Kind.EVENT)).channel)
    audience = Audience(ticks.last_ns)
    watchers = [f"watcher {number}" for number in range(subscribers)]
    room = WaitingRoomStore(batcher(redis))
    try:
        await join(room, event_id, [f"early {number}" for number in range(AHEAD)] + watchers)
        began, cpu = time.perf_counter(), cpu_seconds(pid)
        await subscribe(audience, installation, event_id, watchers)
        print(
            f"{subscribers:,} sockets opened in {time.perf_counter() - began:.0f} s, "
            f"{(cpu_seconds(pid) - cpu) / subscribers * 1000:.1f} ms of CPU each"
        )
        async with ticks.listening():
            await watch(audience, ticks, pid, seconds)
    finally:
        audience.leave()
        await redis.aclose()


async def watch(audience: Audience, ticks: Ticks, pid: int, seconds: float) -> None:
    """What the ticks of so many seconds cost."""
    audience.timing = True
    ticks.number, before = 0, audience.delivered
    began, cpu = time.perf_counter(), cpu_seconds(pid)
    await asyncio.sleep(seconds)
    took, used = time.perf_counter() - began, cpu_seconds(pid) - cpu
    delays_ms = sorted(delay / 1000 for delay in audience.delays_us)
    delivered = audience.delivered - before
    print(
        f"{ticks.number / took:.1f} ticks/s, {delivered / took:,.0f} entries/s: {used / took:.0%} of a core, "
        f"{used / max(1, ticks.number) * 1000:.0f} ms of CPU a tick, {used / max(1, delivered) * 1e6:.0f} us "
        f"an entry; received {delays_ms[len(delays_ms) // 2]:.0f} ms (median) and "
        f"{delays_ms[len(delays_ms) * 99 // 100]:.0f} ms (p99) after its tick"
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    with open_installation() as installation:
        api = installation.isolate_api()
        os.sched_setaffinity(0, {LOAD_CORE})
        asyncio.run(measure(installation, api.pid, options.subscribers, options.seconds))


if __name__ == "__main__":
    main()
