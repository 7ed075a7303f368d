"""Live updates to thousands of open WebSockets, by CPU a delivery, against plain broadcasts.

    python -m benchmarks fanout

Our API process and its peers take turns on core 0; the receivers and every other part run on core 1. Each
sends the same number of updates a second, of the same bytes. Ours begin in Redis: a seat is blocked or
unblocked there, as an organiser does it, and its delay counts from that call.
"""

import argparse
import asyncio
import contextlib
import gc
import json
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.broadcasters import STAMP_BYTES
from benchmarks.installation import LOAD_CORE, OUT, Installation, Server, open_installation, serving
from benchmarks.load import cpu_seconds
from benchmarks.sample_events import ON_SALE_SINCE, SEATS, create_event, numbered_seats
from benchmarks.sockets import Audience
from commands.configuration import settings_of_running
from commands.plots import bar_plot
from devservices.ports import free_port
from domain.ids import Kind, parse_id
from reservations.connection import batcher, connect
from reservations.outcomes import SeatSource
from reservations.store import SeatStore

SETTLE_SECONDS = 1.5
TAIL_SECONDS = 0.5
GOALS = {"of picows": 1.5, "p99_ms": 30.0, "kib_a_subscriber": 30.0, "connect_ms": 1.0}
VERSION = re.compile(rb'"version":(\d+)')


@dataclass(frozen=True, slots=True)
class Fanout:
    """What one server needed."""

    name: str
    frame_bytes: int
    deliveries: int
    expected: int
    cpu_ms_per_1000: float
    p50_ms: float
    p99_ms: float
    kib_a_subscriber: float
    connect_ms: float


async def no_seats(_: UUID) -> SeatSource:
    """Nothing has to be rebuilt here."""
    raise SystemExit("Redis has lost the benchmark's event.")


class Sale:
    """Changes to our event, one seat after another, and when each version was made."""

    def __init__(self, installation: Installation, event_id: str) -> None:
        self._redis = connect(settings_of_running(str(installation.data_dir)).redis_url, 4)
        self._store = SeatStore(batcher(self._redis), no_seats)
        self._event_id = parse_id(event_id, Kind.EVENT)
        self._changed_at_ns: dict[int, int] = {}

    async def go_on(self, rate: float, number: int) -> None:
        """So many updates, so many a second."""
        start = time.monotonic()
        for done in range(number):
            await asyncio.sleep(max(start + done / rate - time.monotonic(), 0))
            now = time.monotonic_ns()
            answer = await self._store.block(self._event_id, [done // 2 % 100], blocked=done % 2 == 0)
            self._changed_at_ns[answer.version] = now

    def changed_at_ns(self, frame: bytes) -> int:
        """When the change was made that a message carries."""
        found = VERSION.search(frame)
        assert found is not None, frame
        return self._changed_at_ns.get(int(found[1]), time.monotonic_ns())

    async def close(self) -> None:
        """Close the connection."""
        await self._redis.aclose()


def stamp_ns(frame: bytes) -> int:
    """When a peer made a message."""
    at = re.search(rb"\d{%d}" % STAMP_BYTES, frame)
    assert at is not None, frame
    return int(at[0])


def pss_kib(pid: int) -> float:
    """Proportional set size of one process."""
    return float(psutil.Process(pid).memory_full_info().pss / 1024)


@dataclass(slots=True)
class Round:
    """One server, its audience, and what serving the audience costs."""

    name: str
    server: Server
    audience: Audience
    subscribers: int
    kib_a_subscriber: float = 0.0
    connect_ms: float = 0.0

    async def open(self, path: str, greeting: list[bytes], replies: int) -> None:
        """Connect all subscribers, and note what that cost."""
        cpu, memory = cpu_seconds(self.server.pid), pss_kib(self.server.pid)
        await self.audience.fill(self.subscribers, self.server.port, path, greeting, replies)
        self.connect_ms = (cpu_seconds(self.server.pid) - cpu) * 1_000 / self.subscribers
        await asyncio.sleep(SETTLE_SECONDS)
        self.kib_a_subscriber = (pss_kib(self.server.pid) - memory) / self.subscribers

    async def measure(self, seconds: float, updates: int, work: Any) -> Fanout:
        """Deliver for so long; `work` makes the updates, where the server does not itself."""
        gc.collect()
        gc.disable()
        audience = self.audience
        audience.timing = True
        before, cpu = audience.delivered, cpu_seconds(self.server.pid)
        await work
        await asyncio.sleep(TAIL_SECONDS if seconds == 0 else seconds)
        used, delivered = cpu_seconds(self.server.pid) - cpu, audience.delivered - before
        gc.enable()
        delays = sorted(audience.delays_us)
        audience.leave()
        return Fanout(
            self.name,
            audience.frame_bytes,
            delivered,
            updates * self.subscribers,
            used * 1e6 / max(delivered, 1),
            delays[len(delays) // 2] / 1_000,
            delays[len(delays) * 99 // 100] / 1_000,
            self.kib_a_subscriber,
            self.connect_ms,
        )


async def ours(installation: Installation, pid: int, event_id: str, options: argparse.Namespace) -> Fanout:
    """Boxoffice itself."""
    sale = Sale(installation, event_id)
    audience = Audience(sale.changed_at_ns)
    payload = {"query": SEATS, "variables": {"id": event_id}}
    subscribe = {"id": "1", "type": "subscribe", "payload": payload}
    greeting = [b'{"type":"connection_init"}', json.dumps(subscribe).encode()]
    measured = Round("Boxoffice", Server(installation.port, pid), audience, options.subscribers)
    await measured.open("/graphql", greeting, 2)
    updates = int(options.rate * options.seconds)
    try:
        return await measured.measure(0, updates, sale.go_on(options.rate, updates))
    finally:
        await sale.close()


async def peer(name: str, server: Server, options: argparse.Namespace) -> Fanout:
    """A server that broadcasts by itself; Strawberry's needs a subscription."""
    audience = Audience(stamp_ns)
    greeting: list[bytes] = []
    if name == "naive":
        subscribe = {"id": "1", "type": "subscribe", "payload": {"query": "subscription { text }"}}
        greeting = [b'{"type":"connection_init"}', json.dumps(subscribe).encode()]
    measured = Round(name, server, audience, options.subscribers)
    await measured.open("/", greeting, 2 if greeting else 1)
    return await measured.measure(options.seconds, int(options.rate * options.seconds), asyncio.sleep(0))


def spread(rounds: list[Fanout], what: str) -> list[float]:
    """One figure of every round, least first."""
    return sorted(float(getattr(each, what)) for each in rounds)


FIGURES = ("cpu_ms_per_1000", "p50_ms", "p99_ms", "kib_a_subscriber", "connect_ms")


def report(results: dict[str, list[Fanout]], options: argparse.Namespace) -> None:
    """The table, the figures as JSON, and the plot."""
    title = f"{options.subscribers:,} subscribers, {options.rate:g} updates a second, one core"
    table = Table("server", "bytes", "delivered", *FIGURES, title=title)
    for name, rounds in results.items():
        share = sum(each.deliveries for each in rounds) / sum(each.expected for each in rounds)
        cells = [_spread(spread(rounds, figure)) for figure in FIGURES]
        table.add_row(name, str(rounds[-1].frame_bytes), f"{share:.1%}", *cells)
    Console(width=140).print(table)
    OUT.mkdir(exist_ok=True)
    figures = {name: [asdict(each) for each in rounds] for name, rounds in results.items()}
    (OUT / "fanout.json").write_text(json.dumps({"goals": GOALS, "rounds": figures}, indent=1))
    if options.plot:
        bars = {name: _middle(spread(rounds, "cpu_ms_per_1000")) for name, rounds in results.items()}
        goal = {"Boxoffice": GOALS["of picows"] * bars["picows"]} if "picows" in bars else {}
        title = f"CPU ms a 1,000 deliveries: {title} (line: goal, 1.5 times picows)"
        options.plot.write_text(bar_plot(title, bars, goal), encoding="utf-8")


def _middle(values: list[float]) -> float:
    return values[len(values) // 2]


def _spread(values: list[float]) -> str:
    return f"{_middle(values):.2f} ({values[0]:.2f} to {values[-1]:.2f})"


@contextlib.contextmanager
def broadcasting(name: str, size: int, rate: float) -> Iterator[Server]:
    """A peer on the servers' core."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.broadcasters", name, str(port), str(size), str(rate)]
    with serving(command, port) as server:
        yield server


@contextlib.contextmanager
def installation_with_event() -> Iterator[tuple[Installation, int, str]]:
    """Our installation, its API process alone on its core, and an event of numbered seats."""
    with open_installation() as installation:
        event = create_event(installation, onSaleAt=ON_SALE_SINCE, **numbered_seats(500))
        yield installation, installation.isolate_api().pid, event["id"]


async def run(options: argparse.Namespace) -> dict[str, list[Fanout]]:
    """All servers in turn, as many rounds as are wanted."""
    results: dict[str, list[Fanout]] = {}
    for _ in range(options.rounds):
        async for result in one_round(options):
            results.setdefault(result.name, []).append(result)
            print(result, flush=True)
    return results


async def one_round(options: argparse.Namespace) -> AsyncIterator[Fanout]:
    """Each server once, each in a process of its own: memory is that of a fresh one."""
    with installation_with_event() as (installation, pid, event_id):
        own = await ours(installation, pid, event_id, options)
    yield own
    for name in options.peers:
        head = 4 if own.frame_bytes > 127 else 2
        with broadcasting(name, own.frame_bytes - head, options.rate) as server:
            yield await peer(name, server, options)


def main() -> None:
    """Measure, and report."""
    import uvloop

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subscribers", type=int, default=2_000)
    parser.add_argument("--rate", type=float, default=20.0, help="updates a second")
    parser.add_argument("--seconds", type=float, default=8.0, help="of updates, each server and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", nargs="*", default=["picows", "raw"], help="picows, raw, naive")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write docs/images/fanout.svg or another")
    options = parser.parse_args()
    os.sched_setaffinity(0, {LOAD_CORE})
    report(uvloop.run(run(options)), options)


if __name__ == "__main__":
    main()
