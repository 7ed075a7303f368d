"""`make bench ARGS=soak`: steady load, then none: what grows, and what an idle installation costs.

Buyers read, search, watch seats and book free tickets of many events. Printed is the memory of each process
at the start, in the middle and at the end, and the slope of the second half, in MiB an hour. Afterwards, for
a minute, CPU and Redis commands are counted while every event's map is in Redis and nobody asks for one.
`--minutes 120` is the soak that the slopes are meant for.
"""

import argparse
import asyncio
import itertools
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import linear_regression
from typing import Any

import httpx
import psutil
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import connect

from benchmarks.documents import import_events
from benchmarks.installation import Installation, open_installation
from commands.output import line, progress_shown

_SAMPLE_SECONDS = 15.0
_IDLE_SECONDS = 60.0
_MIB = 2**20
_READS = (
    "query E($id: ID!) { event(id: $id) { name status availability { available } venue { name city } } }",
    "query M($id: ID!) { event(id: $id) { seatStatuses { version statuses } priceFrom { amount } } }",
    "query P($id: ID!) { event(id: $id) { performers { name } places(first: 3) { totalCount } } }",
    "query L { events(first: 20) { edges { node { id name startsAt venue { city } } } } }",
    'query S { searchEvents(input: { keyword: "Night 12" }) { total events { id name } } }',
)
_RESERVE = """mutation R($input: ReserveInput!) {
  reserve(input: $input) { ... on ReserveSuccess { order { id } } ... on UserError { code } }
}"""
_PAY = "mutation P($input: PayInput!) { pay(input: $input) { ... on PaySuccess { order { status } } } }"
_WATCH = "subscription W($id: ID!) { seatAvailability(eventId: $id) { version } }"


def main(words: Sequence[str] | None = None) -> int:
    """Run it; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0, help="the time under load (120)")
    parser.add_argument("--rate", type=float, default=100.0, help="operations a second (100)")
    parser.add_argument("--events", type=int, default=3_000, help="live events (3,000)")
    given = parser.parse_args(words)
    with open_installation() as installation:
        ids = [each for each in import_events(installation, given.events, price=0) if each.startswith("evt_")]
        soak = asyncio.run(_soak(installation, ids, given.minutes * 60, given.rate))
    _show(soak)
    return 0


@dataclass(slots=True)
class Soak:
    """What was seen: memory in MiB by process and time, and the costs of the idle installation."""

    memory: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    operations: int = 0
    failures: int = 0
    idle_cpu: dict[str, float] = field(default_factory=dict)
    """Shares of a core"""
    idle_commands: float = 0.0
    """Redis commands a second"""


async def _soak(installation: Installation, ids: Sequence[str], seconds: float, rate: float) -> Soak:
    soak, began = Soak(), time.monotonic()
    base = f"http://127.0.0.1:{installation.port}"
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=20) as client:
        for event_id in ids:
            await client.get(f"/events/{event_id}/seats", follow_redirects=True)
        buying = _Buying(installation, client, ids, soak)
        tasks: set[asyncio.Task[None]] = set()
        next_sample = 0.0
        with progress_shown() as progress:
            for number in itertools.count():
                passed = time.monotonic() - began
                if passed >= seconds:
                    break
                if passed >= next_sample:
                    _sample(installation, soak, passed)
                    progress(int(passed), int(seconds), "seconds")
                    next_sample += _SAMPLE_SECONDS
                if len(tasks) < 200:
                    task = asyncio.create_task(buying.one(number))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                await asyncio.sleep(1 / rate)
        await asyncio.gather(*tasks)
    _sample(installation, soak, time.monotonic() - began)
    await _idle(installation, soak)
    return soak


class _Buying:
    """Operations as buyers send them, each with a token of its own."""

    def __init__(
        self, installation: Installation, client: httpx.AsyncClient, ids: Sequence[str], soak: Soak
    ) -> None:
        self._installation = installation
        self._client = client
        self._ids = ids
        self._soak = soak
        self._dice = random.Random(7)

    async def one(self, number: int) -> None:
        event_id, chance = self._dice.choice(self._ids), self._dice.random()
        self._soak.operations += 1
        try:
            if chance < 0.8:
                await self._ask(self._dice.choice(_READS), {"id": event_id}, "")
            elif chance < 0.95:
                await self._book(event_id, self._installation.token(f"soak-{number}"))
            else:
                await self._watch(event_id)
        except (httpx.HTTPError, OSError, TimeoutError, KeyError, TypeError):
            self._soak.failures += 1

    async def _ask(self, query: str, variables: dict[str, object], token: str) -> Any:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        used = variables if "$" in query.partition("{")[0] else {}
        body = {"query": query, "variables": used}
        answer = (await self._client.post("/graphql", json=body, headers=headers)).json()
        return answer["data"]

    async def _book(self, event_id: str, token: str) -> None:
        section = f"sec_{event_id.removeprefix('evt_')}_0"
        selection = {"generalAdmission": {"sectionId": section, "quantity": 1}}
        held = await self._ask(_RESERVE, {"input": {"eventId": event_id, "selection": selection}}, token)
        await self._ask(_PAY, {"input": {"orderId": held["reserve"]["order"]["id"]}}, token)

    async def _watch(self, event_id: str) -> None:
        address = f"ws://127.0.0.1:{self._installation.port}/graphql"
        protocols: Any = ["graphql-transport-ws"]
        async with asyncio.timeout(20), connect(address, subprotocols=protocols) as socket:
            await socket.send('{"type":"connection_init"}')
            await socket.recv()
            payload = {"query": _WATCH, "variables": {"id": event_id}}
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            await socket.recv()
            await asyncio.sleep(2)


def _processes(installation: Installation) -> dict[str, list[psutil.Process]]:
    """The processes of each part, by its name."""
    found = {}
    for file in sorted((installation.data_dir / "run").glob("*.pid")):
        head = psutil.Process(int(file.read_text()))
        found[file.stem] = [head, *head.children(recursive=True)]
    return found


def _sample(installation: Installation, soak: Soak, passed: float) -> None:
    for name, processes in _processes(installation).items():
        memory = sum(process.memory_full_info().pss for process in processes if process.is_running())
        soak.memory[name].append((passed, memory / _MIB))


async def _idle(installation: Installation, soak: Soak) -> None:
    """What the installation costs when everybody has left, from ten seconds after that on."""
    await asyncio.sleep(10)
    redis = Redis.from_url(installation.settings()["BOXOFFICE_REDIS_URL"])
    before, commands = _cpu(installation), (await redis.info("stats"))["total_commands_processed"]
    await asyncio.sleep(_IDLE_SECONDS)
    after = _cpu(installation)
    soak.idle_cpu = {name: (after[name] - before[name]) / _IDLE_SECONDS for name in before}
    made = (await redis.info("stats"))["total_commands_processed"] - commands
    soak.idle_commands = made / _IDLE_SECONDS
    await redis.aclose()


def _cpu(installation: Installation) -> dict[str, float]:
    """CPU seconds of each part so far."""
    return {
        name: sum(sum(process.cpu_times()[:2]) for process in processes)
        for name, processes in _processes(installation).items()
    }


def _show(soak: Soak) -> None:
    table = Table(title="Memory, MiB (PSS)")
    columns = ("process", "start", "middle", "end", "slope, MiB an hour", "idle, % of a core")
    for name in columns:
        table.add_column(name, justify="left" if name == "process" else "right")
    for name, samples in soak.memory.items():
        second = samples[len(samples) // 2 :]
        slope = linear_regression(*zip(*second, strict=True)).slope * 3600 if len(second) > 2 else 0.0
        values = [samples[0][1], second[0][1], samples[-1][1]]
        idle = f"{100 * soak.idle_cpu.get(name, 0.0):.1f}"
        table.add_row(name, *(f"{value:.1f}" for value in values), f"{slope:+.1f}", idle)
    Console().print(table)
    line(f"{soak.operations:,} operations, {soak.failures:,} failed")
    line(f"idle: {soak.idle_commands:.1f} Redis commands a second")


if __name__ == "__main__":
    sys.exit(main())
