"""A sale: 200 buyers at once, everything of ours on one core, the load on the other.

    python -m benchmarks sale

Reports orders a second (hold, order and claims committed) of general admission and of numbered seats,
refusals a second at a sold-out section, and the memory of every part. Every request has an id and an
idempotency key of its own, as the web client sends it through a proxy.
"""

import asyncio
import contextlib
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.client import Client, reserve_body
from benchmarks.installation import LOAD_CORE, Installation, open_installation
from benchmarks.sample_events import create_event, numbered_seats, standing

BUYERS, PLACES, ROUNDS = 200, 500, 5
REFUSALS = 6_000
GOAL_ORDERS, GOAL_REFUSALS, GOAL_MEMORY_MIB = 590, 2_000, 700


@contextlib.asynccontextmanager
async def buyers(installation: Installation, number: int) -> AsyncIterator[list[Client]]:
    """So many buyers, each with a token and a connection of their own."""
    clients = [Client(installation.port, installation.token(f"buyer-{index}")) for index in range(number)]
    await asyncio.gather(*(client.open() for client in clients))
    try:
        yield clients
    finally:
        for client in clients:
            client.close()


async def sell(clients: list[Client], event: dict[str, Any]) -> tuple[float, Counter[str]]:
    """All buy one ticket after another until there are none; seconds, and answers by type."""
    section = event["seatMap"]["sections"][0]["id"]
    selection = {"generalAdmission": {"sectionId": section, "quantity": 1}}
    answers: Counter[str] = Counter()
    finished = 0.0

    async def buy(client: Client) -> None:
        nonlocal finished
        while True:
            answer = (await client.post(reserve_body(event["id"], selection)))["data"]["reserve"]
            answers[answer.get("code", answer["__typename"])] += 1
            if answer["__typename"] != "ReserveSuccess":
                return
            finished = time.perf_counter()

    started = time.perf_counter()
    await asyncio.gather(*map(buy, clients))
    return finished - started, answers


async def sell_seats(clients: list[Client], event: dict[str, Any]) -> tuple[float, int]:
    """Every buyer asks for pairs of seats not known to be taken, until all are sold; seconds, and orders.

    Pairs of neighbours leave no single seat behind. A buyer who loses a race tries the next pair.
    """
    seats = [seat["id"] for seat in event["seatMap"]["sections"][0]["seats"]]
    pairs = list(zip(seats[::2], seats[1::2], strict=True))
    free = dict.fromkeys(random.Random(len(pairs)).sample(pairs, len(pairs)))
    answers: Counter[str] = Counter()

    async def buy(client: Client, number: int) -> None:
        while free:
            pair = list(free)[number % len(free)]
            answer = (await client.post(reserve_body(event["id"], {"seatIds": pair})))["data"]["reserve"]
            answers[answer["__typename"]] += 1
            free.pop(pair, None)

    started = time.perf_counter()
    await asyncio.gather(*(buy(client, number) for number, client in enumerate(clients)))
    seconds = time.perf_counter() - started
    assert answers["ReserveSuccess"] == len(pairs), answers
    assert set(answers) <= {"ReserveSuccess", "SeatsUnavailable"}, answers
    return seconds, len(pairs)


async def refuse(clients: list[Client], event: dict[str, Any]) -> float:
    """Holds of 4 at a sold-out section; refusals a second."""
    section = event["seatMap"]["sections"][0]["id"]
    selection = {"generalAdmission": {"sectionId": section, "quantity": 4}}
    each = REFUSALS // len(clients)

    async def ask(client: Client) -> None:
        for _ in range(each):
            answer = (await client.post(reserve_body(event["id"], selection)))["data"]["reserve"]
            assert answer["code"] == "NOT_ENOUGH_SEATS", answer

    started = time.perf_counter()
    await asyncio.gather(*map(ask, clients))
    return each * len(clients) / (time.perf_counter() - started)


async def measure(installation: Installation) -> list[tuple[str, str, str]]:
    """Every figure with its goal."""
    rates, refusals, seat_rates = [], [], []
    async with buyers(installation, BUYERS) as clients:
        for number in range(ROUNDS + 1):
            event = create_event(installation, generalAdmission=[standing(PLACES)])
            seconds, answers = await sell(clients, event)
            assert answers["ReserveSuccess"] == PLACES, answers
            seated = create_event(installation, **numbered_seats(PLACES))
            seat_seconds, pairs = await sell_seats(clients, seated)
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
        ("memory of every part, MiB (PSS)", f"{installation.memory_mib():.0f}", f"< {GOAL_MEMORY_MIB}"),
    ]


def _spread(values: list[float]) -> str:
    ordered = sorted(values)
    return f"{ordered[len(ordered) // 2]:,.0f} ({ordered[0]:,.0f} to {ordered[-1]:,.0f})"


def main() -> None:
    """Run the sale and print its table."""
    import uvloop

    with open_installation() as installation:
        os.sched_setaffinity(0, {LOAD_CORE})
        rows = uvloop.run(measure(installation))
    table = Table("what", "measured: median (least to most)", "goal", title="A sale on one core")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
