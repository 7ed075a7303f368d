"""Reads and mutations on a database as it is after years of sales: 100,000 events, 3 million orders.

    python -m benchmarks.large [--orders 3000000] [--database URL] [--tree DIRECTORY] [--requests 200]

The database is filled by COPY (benchmarks/large_data.py) into an embedded PostgreSQL, unless --database names
one that was filled; it is changed. One API process serves HTTP, and one request is under way at a time. Every
request is another one, so that no cache of answers has it. The engine of search is left out.
"""

import argparse
import asyncio
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import jwt
from rich.console import Console
from rich.table import Table

from benchmarks.installation import ROOT, Installation, environment_of, open_installation, python_of
from benchmarks.large_data import EVENT, VENUE, Sizes, fill, row_id, subject_of
from db.migrate import migrate
from db.session import Database
from devservices.postgres import Postgres
from domain.ids import Kind, Part, part_id, public_id

_PARK, _ARENA, _HALL = range(3)
_SETTINGS = {"BOXOFFICE_MEILISEARCH_URL": "http://127.0.0.1:9", "BOXOFFICE_STRIPE_REFUNDS_PER_SECOND": "20"}


@dataclass(frozen=True, slots=True)
class Read:
    """A query that is asked again and again, with other variables each time."""

    name: str
    query: str
    variables: Callable[[int], dict[str, Any]]
    user: Callable[[int], int] | None = None
    """Who asks, by number; nobody signed in without it"""
    requests: int | None = None


_EVENTS = """
query ($filter: EventFilter, $total: Boolean = false) {
  events(first: 20, filter: $filter) {
    totalCount @include(if: $total)
    edges { node { id name startsAt status priceFrom { amount } venue { name city } } }
  }
}
"""
_MINE = """
query ($n: Int!) { me { orders(first: $n) { totalCount edges { node {
  id reference status total { amount } event { name } tickets { id } } } } } }
"""
_ORGANISED = """
query ($n: Int!) { me { organisedEvents(first: $n) { totalCount edges { node {
  id name availability { total available held booked } } } } } }
"""
_OF_EVENT = """
query ($id: ID!, $n: Int!, $status: OrderStatus) { event(id: $id) { orders(first: $n, status: $status) {
  totalCount edges { node { id reference status total { amount } buyer { name } tickets { id } } } } } }
"""
_STATUSES = "query ($id: ID!) { event(id: $id) { name seatStatuses { version statuses } } }"
_NODE = "query ($id: ID!) { node(id: $id) { ... on Venue { name city } } }"
_RESERVE = """
mutation ($input: ReserveInput!) { reserve(input: $input) { __typename ... on UserError { code message } } }
"""
_CANCEL = "mutation ($id: ID!) { cancelEvent(input: {eventId: $id}) { __typename } }"


def reads_of(sizes: Sizes) -> list[Read]:
    """What buyers and organisers read."""
    chosen = random.Random(23)
    park = public_id(Kind.EVENT, row_id(EVENT, _PARK))

    def events(**conditions: object) -> Callable[[int], dict[str, Any]]:
        return lambda number: {"filter": {"startsTo": f"2098-01-01T00:{_minute(number)}Z", **conditions}}

    def later(number: int) -> dict[str, Any]:
        return {"filter": {"startsFrom": f"2027-03-{number % 28 + 1:02}T20:{_minute(number)}Z"}}

    def city(number: int) -> dict[str, Any]:
        return {"filter": {"city": f"City {number % 300}"}}

    def of_park(status: str | None) -> Callable[[int], dict[str, Any]]:
        return lambda number: {"id": park, "n": 20 + number % 2, "status": status}

    def somebody(_: int) -> int:
        return chosen.randrange(sizes.users)

    return [
        Read("events(first: 20)", _EVENTS, events(onSale=True)),
        Read("events(first: 20), totalCount", _EVENTS, lambda n: {**events()(n), "total": True}),
        Read("events by city", _EVENTS, city),
        Read("events of a city that has none", _EVENTS, events(city="Nowhere")),
        Read("events with startsFrom", _EVENTS, later),
        Read("me.orders, totalCount", _MINE, lambda n: {"n": 20 + n % 2}, somebody),
        Read("organisedEvents of 100, availability", _ORGANISED, lambda n: {"n": 100}, lambda n: 1 + n % 900),
        Read("the same with the three large houses", _ORGANISED, lambda n: {"n": 100}, lambda n: 0, 40),
        Read("Event.orders of 60,000, totalCount", _OF_EVENT, of_park(None), lambda n: 0),
        Read("Event.orders(status: RESERVED)", _OF_EVENT, of_park("RESERVED"), lambda n: 0),
        Read("node(venue)", _NODE, lambda n: {"id": public_id(Kind.VENUE, row_id(VENUE, n % 2_000))}),
    ]


def _minute(number: int) -> str:
    return f"{number // 60 % 60:02}:{number % 60:02}"


def main() -> None:
    """Fill, migrate, measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--orders", type=int, default=3_000_000, help="how many (3,000,000)")
    parser.add_argument("--database", help="one that was filled; it is changed")
    parser.add_argument("--tree", type=Path, default=ROOT, help="the checkout to run")
    parser.add_argument("--requests", type=int, default=200, help="of each read (200)")
    parser.add_argument("--patience", type=float, default=3_600, help="with the cancelled event (3600 s)")
    options = parser.parse_args()
    sizes = Sizes(events=max(options.orders // 30, 200), orders=options.orders)
    with filled(sizes, options.database) as url:
        settings = {**_SETTINGS, "BOXOFFICE_DATABASE_URL": url}
        rows = [("migrate", *seconds_of(lambda: command(options.tree, settings, "migrate")))]
        with open_installation(tree=options.tree, settings=settings) as installation:
            for read in reads_of(sizes):
                rows.append((read.name, *measured(installation, read, options.requests)))
                print(rows[-1], flush=True)
            for house, name in ((_PARK, "park"), (_ARENA, "arena")):
                rows.append((f"first seatStatuses of the {name}", *first_statuses(installation, house)))
            rows.append(("reserve in the park", *reserved(installation, options.requests)))
            home = str(installation.data_dir)
            doctor = seconds_of(lambda: command(options.tree, {}, "doctor", "--data-dir", home))
            rows.append(("doctor", *doctor))
            rows.append(
                ("cancelEvent until its orders are ended", *cancelled(installation, url, options.patience))
            )
    show(rows)


@contextmanager
def filled(sizes: Sizes, url: str | None) -> Iterator[str]:
    """The address of a filled database."""
    if url is not None:
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="boxoffice-bench-") as home:
        postgres = Postgres(Path(home), "bench", durable=False)
        postgres.start()
        try:
            asyncio.run(_fill(postgres.url(), sizes))
            yield postgres.url()
        finally:
            postgres.stop()


async def _fill(url: str, sizes: Sizes) -> None:
    await migrate(url)
    database = Database(url, most=1)
    try:
        await fill(database, sizes)
    finally:
        await database.close()


def command(tree: Path, settings: dict[str, str], *words: str) -> str:
    """Run a command of the checkout; returns the last line that it prints, with its exit status."""
    environment = {**environment_of(tree), **settings}
    done = subprocess.run(
        [python_of(tree), "-m", "cli", *words], cwd=tree, env=environment, capture_output=True, text=True
    )
    lines = (done.stdout + done.stderr).strip().splitlines()
    return f"exit {done.returncode}: {lines[-1] if lines else ''}"


def seconds_of(work: Callable[[], str]) -> tuple[str, str, str]:
    """How long something takes, once, and what it said."""
    began = time.perf_counter()
    said = work()
    return f"{time.perf_counter() - began:.1f} s", "", said


def measured(installation: Installation, read: Read, requests: int) -> tuple[str, str, str]:
    """Median, p99 and slowest of a read, in milliseconds."""
    times = []
    with httpx.Client(timeout=60) as client:
        for number in range(read.requests or requests):
            user = None if read.user is None else read.user(number)
            began = time.perf_counter()
            ask(installation, client, read.query, read.variables(number), user)
            times.append((time.perf_counter() - began) * 1_000)
    p99 = sorted(times)[int(len(times) * 0.99) - 1]
    return f"{statistics.median(times):.1f} ms", f"{p99:.1f} ms", f"first {times[0]:.0f} ms"


def ask(
    installation: Installation, client: httpx.Client, query: str, variables: dict[str, Any], user: int | None
) -> dict[str, Any]:
    """The data of one answer, which has no errors."""
    headers = {} if user is None else {"authorization": f"Bearer {token_of(installation, user)}"}
    address = f"http://127.0.0.1:{installation.port}/graphql"
    response = client.post(address, json={"query": query, "variables": variables}, headers=headers)
    answer: dict[str, Any] = response.json()
    if "errors" in answer:
        raise SystemExit(f"{query}: {answer['errors']}")
    data: dict[str, Any] = answer["data"]
    return data


def token_of(installation: Installation, user: int) -> str:
    """A token of a user of the filled database."""
    claims = {"sub": subject_of(user), "scope": "buy organise", "exp": int(time.time()) + 3_600}
    return jwt.encode(claims, installation.settings()["BOXOFFICE_JWT_SECRET"], "HS256")


def first_statuses(installation: Installation, house: int) -> tuple[str, str, str]:
    """How long the first reading of a map takes, before anybody has built it."""
    event_id = public_id(Kind.EVENT, row_id(EVENT, house))
    with httpx.Client(timeout=60) as client:
        began = time.perf_counter()
        ask(installation, client, _STATUSES, {"id": event_id}, None)
        first = time.perf_counter() - began
        began = time.perf_counter()
        ask(installation, client, _STATUSES, {"id": event_id}, 1)
    return f"{first:.2f} s", "", f"again {(time.perf_counter() - began) * 1_000:.0f} ms"


def reserved(installation: Installation, requests: int) -> tuple[str, str, str]:
    """A hold of two places of the park."""
    event_id = row_id(EVENT, _PARK)
    floor = {"sectionId": part_id(Part.SECTION, event_id, 1), "quantity": 2}

    def variables(number: int) -> dict[str, Any]:
        selection = {"generalAdmission": floor}
        event = public_id(Kind.EVENT, event_id)
        return {"input": {"eventId": event, "selection": selection, "idempotencyKey": f"large-{number}"}}

    return measured(installation, Read("", _RESERVE, variables, lambda number: 2_000 + number), requests)


def cancelled(installation: Installation, url: str, patience: float) -> tuple[str, str, str]:
    """From cancelEvent until none of its orders is booked any more."""
    event_id = row_id(EVENT, _HALL)
    with httpx.Client(timeout=60) as client:
        ask(installation, client, _CANCEL, {"id": public_id(Kind.EVENT, event_id)}, 0)
    return asyncio.run(_until_ended(url, event_id, patience))


async def _until_ended(url: str, event_id: UUID, patience: float) -> tuple[str, str, str]:
    database, began = Database(url, most=1), time.perf_counter()
    left = "SELECT count(*) FROM orders WHERE event_id = $1 AND state = 'BOOKED'"
    count = first = int(await database.fetchval(left, event_id))
    while count and time.perf_counter() - began < patience:
        await asyncio.sleep(0.5)
        count = int(await database.fetchval(left, event_id))
    took = time.perf_counter() - began
    waiting = await database.fetchval("SELECT count(*) FROM refunds WHERE state = 'DECIDED'")
    await database.close()
    return f"{took:.1f} s", "", f"{first - count:,} of {first:,} ended, {waiting:,} refunds not sent yet"


def show(rows: Sequence[tuple[str, ...]]) -> None:
    """Print the table."""
    table = Table("what", "median, or once", "p99", "")
    for row in rows:
        table.add_row(*row)
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
