"""A sale: 200 buyers at once, everything of ours on one core, the load on the other.

    python -m benchmarks sale

Reports orders a second (hold, order and claims committed) of general admission and of numbered seats,
refusals a second at a sold-out section, and the memory of every part.
"""

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from rich.console import Console
from rich.table import Table

SERVER_CORE, LOAD_CORE = 0, 1
BUYERS, PLACES, ROUNDS = 200, 500, 5
REFUSALS = 6_000
PRICE = {"amount": 5000, "currency": "USD"}
GOAL_ORDERS, GOAL_REFUSALS, GOAL_MEMORY_MIB = 590, 2_000, 700

RESERVE = """
mutation Reserve($input: ReserveInput!) {
  reserve(input: $input) {
    __typename
    ... on ReserveSuccess { order { id status expiresAt total { amount currency } } }
    ... on SeatsUnavailable { code seatIds alternatives { id } }
    ... on RequestRefused { code message }
  }
}
"""
CREATE = """
mutation Create($input: CreateEventInput!) {
  createEvent(input: $input) {
    ... on EventSuccess { event { id seatMap { sections { id seats { id } } } } }
    ... on RequestRefused { code message }
  }
}
"""
PUBLISH = "mutation P($id: ID!) { publishEvent(input: {eventId: $id}) { __typename } }"


@dataclass(slots=True)
class Client:
    """One keep-alive connection that posts prepared bytes: the load must cost less than the server."""

    port: int
    token: str
    reader: asyncio.StreamReader = field(init=False)
    writer: asyncio.StreamWriter = field(init=False)

    async def open(self) -> "Client":
        """Connect."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def post(self, body: bytes) -> dict[str, Any]:
        """One GraphQL request and its answer."""
        self.writer.write(
            f"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {self.token}\r\n"
            f"content-type: application/json\r\naccept-encoding: identity\r\n"
            f"content-length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        answer: dict[str, Any] = json.loads(await self.reader.readexactly(length))
        return answer

    def close(self) -> None:
        """Hang up."""
        self.writer.close()


def reserve_body(event_id: str, selection: dict[str, Any]) -> bytes:
    """The request that a strict client sends, document and all."""
    variables = {"input": {"eventId": event_id, "selection": selection}}
    return json.dumps({"query": RESERVE, "variables": variables}).encode()


@dataclass(frozen=True, slots=True)
class House:
    """A running installation on one core."""

    port: int
    data_dir: Path
    process: subprocess.Popen[bytes]

    def token(self, user: str, *scopes: str) -> str:
        """A token signed with the installation's secret."""
        import jwt

        secret = json.loads((self.data_dir / "secrets.json").read_text())["jwt_secret"]
        claims = {"sub": user, "scope": " ".join(scopes or ("buy",)), "exp": int(time.time()) + 3600}
        return jwt.encode(claims, secret, "HS256")

    def memory_mib(self) -> float:
        """Proportional set size of every process, shared pages counted once."""
        family = [psutil.Process(self.process.pid)]
        family += family[0].children(recursive=True)
        return float(sum(process.memory_full_info().pss for process in family) / 2**20)


@contextlib.contextmanager
def open_house(port: int = 18_411) -> Iterator[House]:
    """`boxoffice up` with one API process, every part pinned to one core."""
    with tempfile.TemporaryDirectory(prefix="boxoffice-bench-") as directory:
        data_dir = Path(directory) / "data"
        command = ["taskset", "-c", str(SERVER_CORE), sys.executable, "-m", "cli", "up", "--no-demo"]
        command += ["--port", str(port), "--data-dir", str(data_dir), "--workers", "1"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _wait_ready(port, process)
            yield House(port, data_dir, process)
        finally:
            process.terminate()
            process.wait(30)


def _wait_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200:
                return
        time.sleep(0.2)
    raise SystemExit("The installation did not start.")


def seating_plan(seats: int, seats_per_row: int = 50) -> str:
    """A hall of so many seats in straight rows, as a pretix plan."""
    rows = [
        {
            "row_number": str(row + 1),
            "seats": [
                {
                    "seat_guid": f"{row}-{seat}",
                    "seat_number": str(seat + 1),
                    "position": {"x": seat * 20, "y": row * 20},
                    "category": "Hall",
                }
                for seat in range(seats_per_row)
            ],
        }
        for row in range(seats // seats_per_row)
    ]
    zone = {"name": "Hall", "position": {"x": 0, "y": 0}, "rows": rows, "areas": []}
    plan = {"name": "Hall", "categories": [{"name": "Hall", "color": "#4361ee"}], "zones": [zone]}
    return json.dumps({**plan, "size": {"width": 1000, "height": 1000}})


def standing(capacity: int) -> dict[str, Any]:
    """A general-admission section, as createEvent takes it."""
    return {"name": "Floor", "capacity": capacity, "price": PRICE}


def create_event(house: House, **terms: Any) -> dict[str, Any]:
    """A published event; `terms` are createEvent's own."""
    organiser = {"authorization": f"Bearer {house.token('bench-organiser', 'organise')}"}
    new = {
        "name": "Benchmark night",
        "startsAt": "2099-01-01T20:00:00Z",
        "venue": {"name": "Hall", "city": "Seoul", "timezone": "Asia/Seoul"},
        "maxTicketsPerOrder": 8,
        **terms,
    }
    with httpx.Client(base_url=f"http://127.0.0.1:{house.port}", headers=organiser, timeout=30) as client:
        answer = client.post("/graphql", json={"query": CREATE, "variables": {"input": new}}).json()
        event: dict[str, Any] = answer["data"]["createEvent"]["event"]
        client.post("/graphql", json={"query": PUBLISH, "variables": {"id": event["id"]}})
    return event


@contextlib.asynccontextmanager
async def buyers(house: House, number: int) -> AsyncIterator[list[Client]]:
    """So many people, each on a connection of their own."""
    clients = [Client(house.port, house.token(f"bench-buyer-{index}")) for index in range(number)]
    await asyncio.gather(*(client.open() for client in clients))
    try:
        yield clients
    finally:
        for client in clients:
            client.close()


async def sell(clients: list[Client], event: dict[str, Any]) -> tuple[float, Counter[str]]:
    """Everybody buys one ticket after another until there are none; seconds, and answers by type."""
    section = event["seatMap"]["sections"][0]["id"]
    body = reserve_body(event["id"], {"generalAdmission": {"sectionId": section, "quantity": 1}})
    answers: Counter[str] = Counter()
    finished = 0.0

    async def buy(client: Client) -> None:
        nonlocal finished
        while True:
            answer = (await client.post(body))["data"]["reserve"]
            answers[answer.get("code", answer["__typename"])] += 1
            if answer["__typename"] != "ReserveSuccess":
                return
            finished = time.perf_counter()

    started = time.perf_counter()
    await asyncio.gather(*map(buy, clients))
    return finished - started, answers


async def sell_seats(clients: list[Client], event: dict[str, Any]) -> tuple[float, int]:
    """Everybody goes for two seats that nobody is known to have, until all are sold; seconds, and orders.

    Pairs of neighbours leave no single seat behind. Who was too late looks for the next pair.
    """
    seats = [seat["id"] for seat in event["seatMap"]["sections"][0]["seats"]]
    pairs = list(zip(seats[::2], seats[1::2], strict=True))
    free = dict.fromkeys(random.Random(len(pairs)).sample(pairs, len(pairs)))
    answers: Counter[str] = Counter()

    async def buy(client: Client, place_in_line: int) -> None:
        while free:
            pair = list(free)[place_in_line % len(free)]
            answer = (await client.post(reserve_body(event["id"], {"seatIds": pair})))["data"]["reserve"]
            answers[answer["__typename"]] += 1
            free.pop(pair, None)

    started = time.perf_counter()
    await asyncio.gather(*(buy(client, number) for number, client in enumerate(clients)))
    seconds = time.perf_counter() - started
    assert answers["ReserveSuccess"] == len(pairs) and "RequestRefused" not in answers, answers
    return seconds, len(pairs)


async def refuse(clients: list[Client], event: dict[str, Any]) -> float:
    """Holds of 4 at a sold-out section; refusals a second."""
    section = event["seatMap"]["sections"][0]["id"]
    body = reserve_body(event["id"], {"generalAdmission": {"sectionId": section, "quantity": 4}})
    each = REFUSALS // len(clients)

    async def ask(client: Client) -> None:
        for _ in range(each):
            answer = (await client.post(body))["data"]["reserve"]
            assert answer["code"] == "NOT_ENOUGH_SEATS", answer

    started = time.perf_counter()
    await asyncio.gather(*map(ask, clients))
    return each * len(clients) / (time.perf_counter() - started)


async def measure(house: House) -> list[tuple[str, str, str]]:
    """Every figure with its goal."""
    rates, refusals, seat_rates = [], [], []
    async with buyers(house, BUYERS) as clients:
        for number in range(ROUNDS + 1):
            event = create_event(house, generalAdmission=[standing(PLACES)])
            seconds, answers = await sell(clients, event)
            assert answers["ReserveSuccess"] == PLACES, answers
            plan = {
                "seatingPlan": seating_plan(PLACES),
                "priceLevels": [{"category": "Hall", "price": PRICE}],
            }
            seat_seconds, pairs = await sell_seats(clients, create_event(house, **plan))
            if number:
                rates.append(PLACES / seconds)
                refusals.append(await refuse(clients, event))
                seat_rates.append(pairs / seat_seconds)
    return [
        ("orders a second, 500 places, 200 buyers", _spread(rates), f">= {GOAL_ORDERS}"),
        ("orders a second, 500 pairs of numbered seats, lost races among them", _spread(seat_rates), "-"),
        (
            "refusals a second, sold out, one API core with all parts",
            _spread(refusals),
            f">= {GOAL_REFUSALS}",
        ),
        ("memory of every part, MiB (PSS)", f"{house.memory_mib():.0f}", f"< {GOAL_MEMORY_MIB}"),
    ]


def _spread(values: list[float]) -> str:
    ordered = sorted(values)
    return f"{ordered[len(ordered) // 2]:,.0f} ({ordered[0]:,.0f} to {ordered[-1]:,.0f})"


def main() -> None:
    """Run the sale and print its table."""
    import uvloop

    with open_house() as house:
        os.sched_setaffinity(0, {LOAD_CORE})
        rows = uvloop.run(measure(house))
    table = Table("what", "measured: median (least to most)", "goal", title="A sale on one core")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
