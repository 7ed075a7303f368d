"""Ten times the load that one core can serve: requests served and refused, and what that costs.

    python -m benchmarks overload [--times 10] [--seconds 20]

Everything of ours runs on one core, the load on the other. First the capacity is measured: holds a
second of a few buyers who wait for each answer. Then so many times as much is sent in an open loop over
thousands of connections, while some clients watch the map; then the load stops and one buyer goes on.
Every request has an id and an idempotency key of its own.
"""

import argparse
import asyncio
import contextlib
import os
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from benchmarks.installation import LOAD_CORE, Installation, open_installation
from benchmarks.sample_events import RESERVE, create_event, standing

CAPACITY_SECONDS, CAPACITY_BUYERS = 6.0, 48
CONNECTIONS, WATCHERS, PLACES = 2_000, 20, 60_000
NUMBER = b"0123456789abcdef"
TICK_SECONDS = 0.005
QUICK_SECONDS = 0.1
GOAL_P99_SECONDS, GOAL_RECOVERY_SECONDS = 1.0, 5.0
PROTOCOLS = [Subprotocol("graphql-transport-ws")]
WATCH = "subscription W($id: ID!) { seatAvailability(eventId: $id) { version previousVersion } }"


_numbers = count(1)


@dataclass(slots=True)
class Tally:
    """What came back."""

    outcomes: Counter[str] = field(default_factory=Counter)
    served_seconds: list[float] = field(default_factory=list)
    refused_seconds: list[float] = field(default_factory=list)
    unsent: int = 0

    def note(self, status: int, body: bytes, seconds: float) -> None:
        """Count one answer."""
        if status == 200 and b"ReserveSuccess" in body:
            self.outcomes["served"] += 1
            self.served_seconds.append(seconds)
        elif status == 503 and b"OVERLOADED" in body:
            self.outcomes["refused"] += 1
            self.refused_seconds.append(seconds)
        else:
            self.outcomes[f"{status} {body[:160].decode(errors='replace')}"] += 1


class Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request in flight."""

    def __init__(self, idle: "deque[Connection]", template: bytes) -> None:
        self._idle = idle
        self._template = template
        self._data = b""
        self._sent_at = 0.0
        self._answered: asyncio.Future[None] | None = None
        self.tally = Tally()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self._idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._sent_at:
            self.tally.outcomes["connection lost"] += 1

    def send(self, tally: Tally) -> None:
        """Send a request, and count its answer in the tally."""
        self.tally, self._data, self._sent_at = tally, b"", time.perf_counter()
        self.transport.write(self._template.replace(NUMBER, b"%016x" % next(_numbers)))

    async def ask(self, tally: Tally) -> None:
        """Send a request, and wait for its answer."""
        self._answered = asyncio.get_running_loop().create_future()
        self.send(tally)
        await self._answered
        self._answered = None

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        length = int(self._data[:end].lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(self._data) < end + 4 + length:
            return
        self.tally.note(int(self._data[9:12]), self._data[end + 4 :], time.perf_counter() - self._sent_at)
        self._sent_at = 0.0
        self._idle.append(self)
        if self._answered is not None:
            self._answered.set_result(None)


@dataclass(slots=True)
class PeakUsage:
    """The most that the installation and its API process took."""

    installation: Installation
    memory_mib: float = 0.0
    files: int = 0

    async def watch(self) -> None:
        """Look every second, until cancelled."""
        api = self.installation.api()
        while True:
            memory_mib = await asyncio.to_thread(self.installation.memory_mib)
            self.memory_mib = max(self.memory_mib, memory_mib)
            self.files = max(self.files, api.num_fds())
            await asyncio.sleep(1)


def template_of(installation: Installation, number: int, event_id: str, section_id: str) -> bytes:
    """One buyer's hold of one ticket; NUMBER stands where each request has a number of its own."""
    key = NUMBER.decode()
    selection = {"generalAdmission": {"sectionId": section_id, "quantity": 1}}
    hold = {"eventId": event_id, "selection": selection, "idempotencyKey": key}
    body = orjson.dumps({"query": RESERVE, "variables": {"input": hold}})
    return (
        f"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        f"authorization: Bearer {installation.token(f'buyer-{number}')}\r\nx-request-id: {key}\r\n"
        f"content-type: application/json\r\naccept: application/graphql-response+json\r\n"
        f"content-length: {len(body)}\r\n\r\n".encode()
        + body
    )


async def connect_many(
    installation: Installation, number: int, event_id: str, section_id: str
) -> "deque[Connection]":
    """So many open connections, each of another buyer."""
    idle: deque[Connection] = deque()
    loop = asyncio.get_running_loop()
    for first in range(0, number, 100):
        some = range(first, min(first + 100, number))
        templates = [template_of(installation, index, event_id, section_id) for index in some]
        await asyncio.gather(
            *(
                loop.create_connection(
                    lambda template=template: Connection(idle, template),  # type: ignore[misc]
                    "127.0.0.1",
                    installation.port,
                )
                for template in templates
            )
        )
    return idle


async def capacity(idle: "deque[Connection]") -> float:
    """Holds a second when each buyer waits for the answer."""
    tally, end = Tally(), time.perf_counter() + CAPACITY_SECONDS

    async def buy(connection: Connection) -> None:
        while time.perf_counter() < end:
            await connection.ask(tally)

    await asyncio.gather(*(buy(idle[number]) for number in range(CAPACITY_BUYERS)))
    assert set(tally.outcomes) == {"served"}, tally.outcomes
    return tally.outcomes["served"] / CAPACITY_SECONDS


async def offer(idle: "deque[Connection]", rate: float, seconds: float) -> Tally:
    """Send at a rate in an open loop, as long as a connection is idle."""
    tally, started, sent = Tally(), time.perf_counter(), 0
    while (now := time.perf_counter() - started) < seconds:
        due = int(now * rate) - sent
        for _ in range(due):
            if not idle:
                tally.unsent += 1
                continue
            idle.popleft().send(tally)
        sent += due
        await asyncio.sleep(TICK_SECONDS)
    return tally


async def recovery(connection: Connection) -> float:
    """Seconds from the end of the load to the last answer that was refused or slow."""
    ended, slow_at = time.perf_counter(), 0.0
    while (now := time.perf_counter() - ended) < slow_at + 3.0:
        tally = Tally()
        await connection.ask(tally)
        if not tally.served_seconds or tally.served_seconds[0] > QUICK_SECONDS:
            slow_at = time.perf_counter() - ended
        await asyncio.sleep(max(0.0, 0.02 - (time.perf_counter() - ended - now)))
    return slow_at


class Watchers:
    """Clients that watch the map during the whole run."""

    def __init__(self, installation: Installation, event_id: str) -> None:
        self._url = f"ws://127.0.0.1:{installation.port}/graphql"
        self._event_id = event_id
        self.updates = 0
        self.gaps = 0
        self.longest_silence_seconds = 0.0

    async def watch(self) -> None:
        """Follow the map until cancelled, and compare each update with the one before."""
        async with connect(self._url, subprotocols=PROTOCOLS) as socket_:
            await socket_.send('{"type":"connection_init"}')
            payload = {"query": WATCH, "variables": {"id": self._event_id}}
            await socket_.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
            version, received = None, time.perf_counter()
            async for message in socket_:
                update: dict[str, Any] = orjson.loads(message)
                if update["type"] != "next":
                    continue
                seen = update["payload"]["data"]["seatAvailability"]
                self.gaps += seen["previousVersion"] not in (None, version)
                version, self.updates = seen["version"], self.updates + 1
                now = time.perf_counter()
                self.longest_silence_seconds = max(self.longest_silence_seconds, now - received)
                received = now


async def open_socket(installation: Installation) -> str:
    """How a new WebSocket fares: its close code, or that it was accepted."""
    with contextlib.suppress(Exception):
        url = f"ws://127.0.0.1:{installation.port}/graphql"
        async with connect(url, subprotocols=PROTOCOLS) as one:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await one.wait_closed()
            return f"closed {one.close_code}" if one.close_code else "accepted"
    return "no handshake"


@dataclass(frozen=True, slots=True)
class Overloaded:
    """What one run found."""

    capacity: float
    calm_mib: float
    tally: Tally
    watchers: Watchers
    peak: PeakUsage
    sockets: Counter[str]
    recovery_seconds: float


async def measure(installation: Installation, times: float, seconds: float) -> Overloaded:
    """Capacity, then the overload, then the recovery."""
    event = create_event(installation, generalAdmission=[standing(PLACES)])
    wanted = event["id"], event["seatMap"]["sections"][0]["id"]
    able = await capacity(await connect_many(installation, CAPACITY_BUYERS, *wanted))
    calm_mib = installation.memory_mib()
    idle = await connect_many(installation, CONNECTIONS, *wanted)
    watchers, peak = Watchers(installation, event["id"]), PeakUsage(installation)
    tasks = [asyncio.create_task(watchers.watch()) for _ in range(WATCHERS)]
    tasks.append(asyncio.create_task(peak.watch()))
    await asyncio.sleep(1)
    offering = asyncio.create_task(offer(idle, able * times, seconds))
    await asyncio.sleep(seconds / 2)
    sockets = Counter(await asyncio.gather(*(open_socket(installation) for _ in range(20))))
    tally = await offering
    while not idle:
        await asyncio.sleep(0.001)
    healed = await recovery(idle[0])
    for task in tasks:
        task.cancel()
    return Overloaded(able, calm_mib, tally, watchers, peak, sockets, healed)


def rows_of(found: Overloaded, times: float, seconds: float) -> list[tuple[str, str, str]]:
    """Every figure with its goal."""
    tally, watchers, able = found.tally, found.watchers, found.capacity
    others = {name: number for name, number in tally.outcomes.items() if name not in ("served", "refused")}
    offered = (sum(tally.outcomes.values()) + tally.unsent) / seconds
    silence_ms = watchers.longest_silence_seconds * 1000
    followed = f"{watchers.updates:,}, {watchers.gaps}, {silence_ms:,.0f} ms"
    recovered = f"{found.recovery_seconds * 1000:,.0f} ms"
    return [
        ("capacity: holds a second, each buyer waiting for the answer", f"{able:,.0f}", ""),
        ("offered a second", f"{offered:,.0f} ({offered / able:.1f} times)", f"{times:.0f} times"),
        ("served a second", f"{tally.outcomes['served'] / seconds:,.0f}", "> half of capacity"),
        ("refused with 503 a second", f"{tally.outcomes['refused'] / seconds:,.0f}", ""),
        ("not sent: every connection waited", f"{tally.unsent / seconds:,.0f}", ""),
        ("served: p50, p99, slowest", spread(tally.served_seconds), f"p99 < {GOAL_P99_SECONDS:.0f} s"),
        ("refused: p50, p99, slowest", spread(tally.refused_seconds), ""),
        ("anything else", str(others or "nothing"), "nothing"),
        ("new WebSockets meanwhile", str(dict(found.sockets)), "closed 1013"),
        (f"{WATCHERS} watchers: updates, gaps, longest silence", followed, "no gap"),
        (
            "memory of every part, MiB (PSS): before, most",
            f"{found.calm_mib:.0f}, {found.peak.memory_mib:.0f}",
            "",
        ),
        ("open files of the API process, most", f"{found.peak.files:,}", ""),
        ("back to answers under 100 ms after", recovered, f"< {GOAL_RECOVERY_SECONDS:.0f} s"),
    ]


def spread(seconds: list[float]) -> str:
    """The median, the 99th percentile and the slowest, in milliseconds."""
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    picked = (ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)], ordered[-1])
    return ", ".join(f"{each * 1000:,.0f} ms" for each in picked)


def main() -> None:
    """Run it and print its table."""
    import uvloop

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=float, default=10.0, help="the capacity that is offered (10)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of overload (20)")
    options = parser.parse_args()
    with open_installation() as installation:
        os.sched_setaffinity(0, {LOAD_CORE})
        found = uvloop.run(measure(installation, options.times, options.seconds))
    title = f"{options.times:.0f} times the load that one core serves"
    table = Table("what", "measured", "goal", title=title)
    for row in rows_of(found, options.times, options.seconds):
        table.add_row(*row)
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
