"""Ten times the load that one core can serve: who is served, who is turned away, and what it costs.

    python -m benchmarks overload [TIMES] [SECONDS]

Everything of ours runs on one core, the load on the other. First the capacity is measured: holds a
second of a few buyers who wait for each answer. Then so many times as much is sent, whatever comes back,
over thousands of connections, while some watch the map; then the load goes and one buyer goes on.
"""

import asyncio
import contextlib
import os
import socket
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

import orjson
import psutil
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from benchmarks.sale import LOAD_CORE, House, create_event, open_house, reserve_body, standing

TIMES, SECONDS = 10.0, 20.0
CAPACITY_SECONDS, CAPACITY_BUYERS = 6.0, 48
CONNECTIONS, WATCHERS, PLACES = 2_000, 20, 60_000
TICK_SECONDS = 0.005
QUICK_SECONDS = 0.1
GOAL_P99_SECONDS, GOAL_RECOVERY_SECONDS = 1.0, 5.0
PROTOCOLS = [Subprotocol("graphql-transport-ws")]
WATCH = "subscription W($id: ID!) { seatAvailability(eventId: $id) { version previousVersion } }"


@dataclass(slots=True)
class Tally:
    """What came back."""

    outcomes: Counter[str] = field(default_factory=Counter)
    served_seconds: list[float] = field(default_factory=list)
    shed_seconds: list[float] = field(default_factory=list)
    unsent: int = 0

    def note(self, status: int, body: bytes, seconds: float) -> None:
        """Count one answer."""
        if status == 200 and b"ReserveSuccess" in body:
            self.outcomes["served"] += 1
            self.served_seconds.append(seconds)
        elif status == 503 and b"OVERLOADED" in body:
            self.outcomes["shed"] += 1
            self.shed_seconds.append(seconds)
        else:
            self.outcomes[f"{status} {body[:160].decode(errors='replace')}"] += 1


class Line(asyncio.Protocol):
    """One keep-alive connection with at most one request on its way."""

    def __init__(self, idle: "deque[Line]", request: bytes) -> None:
        self._idle = idle
        self._request = request
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
        """Ask, and count the answer in the tally."""
        self.tally, self._data, self._sent_at = tally, b"", time.perf_counter()
        self.transport.write(self._request)

    async def ask(self, tally: Tally) -> None:
        """Ask, and wait for the answer."""
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
class Weight:
    """What the installation and its API process take at most."""

    house: House
    memory_mib: float = 0.0
    files: int = 0

    async def watch(self) -> None:
        """Weigh every second, until cancelled."""
        api = psutil.Process(int((self.house.data_dir / "run" / "api-0.pid").read_text()))
        while True:
            self.memory_mib = max(self.memory_mib, await asyncio.to_thread(self.house.memory_mib))
            self.files = max(self.files, api.num_fds())
            await asyncio.sleep(1)


def request_of(house: House, number: int, body: bytes) -> bytes:
    """The bytes of one buyer's request, as a client sends them."""
    token = house.token(f"buyer-{number}")
    return (
        f"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n"
        f"content-type: application/json\r\naccept: application/graphql-response+json\r\n"
        f"content-length: {len(body)}\r\n\r\n".encode()
        + body
    )


async def lines(house: House, number: int, body: bytes) -> "deque[Line]":
    """So many open connections."""
    idle: deque[Line] = deque()
    loop = asyncio.get_running_loop()
    for first in range(0, number, 100):
        requests = [request_of(house, index, body) for index in range(first, min(first + 100, number))]
        await asyncio.gather(
            *(
                loop.create_connection(lambda request=request: Line(idle, request), "127.0.0.1", house.port)  # type: ignore[misc]
                for request in requests
            )
        )
    return idle


async def capacity(idle: "deque[Line]") -> float:
    """Holds a second when everybody waits for the answer."""
    tally, end = Tally(), time.perf_counter() + CAPACITY_SECONDS

    async def buy(line: Line) -> None:
        while time.perf_counter() < end:
            await line.ask(tally)

    await asyncio.gather(*(buy(idle[number]) for number in range(CAPACITY_BUYERS)))
    assert set(tally.outcomes) == {"served"}, tally.outcomes
    return tally.outcomes["served"] / CAPACITY_SECONDS


async def flood(idle: "deque[Line]", rate: float, seconds: float) -> Tally:
    """Send at a rate, whatever comes back."""
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


async def recovery(line: Line) -> float:
    """Seconds from the end of the load to the last answer that was not both given and quick."""
    ended, slow_at = time.perf_counter(), 0.0
    while (now := time.perf_counter() - ended) < slow_at + 3.0:
        tally = Tally()
        await line.ask(tally)
        if not tally.served_seconds or tally.served_seconds[0] > QUICK_SECONDS:
            slow_at = time.perf_counter() - ended
        await asyncio.sleep(max(0.0, 0.02 - (time.perf_counter() - ended - now)))
    return slow_at


class Watchers:
    """People who watch the map all the while."""

    def __init__(self, house: House, event_id: str) -> None:
        self._url = f"ws://127.0.0.1:{house.port}/graphql"
        self._event_id = event_id
        self.updates = 0
        self.gaps = 0
        self.longest_silence_seconds = 0.0

    async def watch(self) -> None:
        """Follow the map until cancelled, and hold every update against the one before."""
        async with connect(self._url, subprotocols=PROTOCOLS) as socket_:
            await socket_.send('{"type":"connection_init"}')
            payload = {"query": WATCH, "variables": {"id": self._event_id}}
            await socket_.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
            version, heard = None, time.perf_counter()
            async for message in socket_:
                update: dict[str, Any] = orjson.loads(message)
                if update["type"] != "next":
                    continue
                seen = update["payload"]["data"]["seatAvailability"]
                self.gaps += seen["previousVersion"] not in (None, version)
                version, self.updates = seen["version"], self.updates + 1
                now = time.perf_counter()
                self.longest_silence_seconds = max(self.longest_silence_seconds, now - heard)
                heard = now


async def refused_socket(house: House) -> str:
    """How a new WebSocket is turned away: its close code, or that it was let in."""
    with contextlib.suppress(Exception):
        async with connect(f"ws://127.0.0.1:{house.port}/graphql", subprotocols=PROTOCOLS) as one:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await one.wait_closed()
            return f"closed {one.close_code}" if one.close_code else "let in"
    return "no handshake"


async def measure(house: House, times: float, seconds: float) -> list[tuple[str, str, str]]:
    """Every figure with its goal."""
    event = create_event(house, generalAdmission=[standing(PLACES)])
    section = event["seatMap"]["sections"][0]["id"]
    body = reserve_body(event["id"], {"generalAdmission": {"sectionId": section, "quantity": 1}})
    able = await capacity(await lines(house, CAPACITY_BUYERS, body))
    calm = house.memory_mib()
    idle = await lines(house, CONNECTIONS, body)
    watchers, weight = Watchers(house, event["id"]), Weight(house)
    tasks = [asyncio.create_task(watchers.watch()) for _ in range(WATCHERS)]
    tasks.append(asyncio.create_task(weight.watch()))
    await asyncio.sleep(1)
    flooding = asyncio.create_task(flood(idle, able * times, seconds))
    await asyncio.sleep(seconds / 2)
    turned_away = Counter(await asyncio.gather(*(refused_socket(house) for _ in range(20))))
    tally = await flooding
    while not idle:
        await asyncio.sleep(0.001)
    healed = await recovery(idle[0])
    for task in tasks:
        task.cancel()
    others = {name: count for name, count in tally.outcomes.items() if name not in ("served", "shed")}
    offered = (sum(tally.outcomes.values()) + tally.unsent) / seconds
    return [
        ("capacity: holds a second, each buyer waiting for the answer", f"{able:,.0f}", ""),
        ("offered a second", f"{offered:,.0f} ({offered / able:.1f} times)", f"{times:.0f} times"),
        ("served a second", f"{tally.outcomes['served'] / seconds:,.0f}", "> half of capacity"),
        ("turned away a second", f"{tally.outcomes['shed'] / seconds:,.0f}", ""),
        ("not sent: every connection waited", f"{tally.unsent / seconds:,.0f}", ""),
        ("served: p50, p99, slowest", spread(tally.served_seconds), f"p99 < {GOAL_P99_SECONDS:.0f} s"),
        ("turned away: p50, p99, slowest", spread(tally.shed_seconds), ""),
        ("anything else", str(others or "nothing"), "nothing"),
        ("new WebSockets meanwhile", str(dict(turned_away)), "closed 1013"),
        (
            f"{WATCHERS} watchers: updates, gaps, longest silence",
            f"{watchers.updates:,}, {watchers.gaps}, {watchers.longest_silence_seconds * 1000:,.0f} ms",
            "no gap",
        ),
        ("memory of every part, MiB (PSS): before, most", f"{calm:.0f}, {weight.memory_mib:.0f}", ""),
        ("open files of the API process, most", f"{weight.files:,}", ""),
        (
            "back to answers under 100 ms after",
            f"{healed * 1000:,.0f} ms",
            f"< {GOAL_RECOVERY_SECONDS:.0f} s",
        ),
    ]


def spread(seconds: list[float]) -> str:
    """The middle, the 99th percentile and the end, in milliseconds."""
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    picked = (ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)], ordered[-1])
    return ", ".join(f"{each * 1000:,.0f} ms" for each in picked)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Run it and print its table."""
    import uvloop

    times, seconds = (
        float(word) for word in (*sys.argv[1:], *(str(TIMES), str(SECONDS))[len(sys.argv) - 1 :])
    )
    with open_house(free_port()) as house:
        os.sched_setaffinity(0, {LOAD_CORE})
        rows = uvloop.run(measure(house, times, seconds))
    table = Table("what", "measured", "goal", title=f"{times:.0f} times the load that one core serves")
    for row in rows:
        table.add_row(*row)
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
