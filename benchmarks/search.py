"""Search at size: python -m benchmarks.search [EVENTS [RATE]] (100,000 and 50 a second).

Events are the real concerts' performers, venues and titles put together anew. Measured: how fast they
are indexed, then so many questions a second of a mix of real-looking ones, to each engine; then how long a
change takes to be findable while 100 a second are made.
"""

import asyncio
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil

from db.migrate import migrate
from db.session import Database
from devservices.meilisearch import Meilisearch, find_binary
from devservices.postgres import DATABASE, Postgres
from domain.errors import Unavailable
from kit.clock import utc_now
from kit.ids import new_uuid
from search.administration import MeilisearchAdministration
from search.meilisearch import MeilisearchIndex
from services.indexing import Progress, rebuild
from services.searching import EventSearch, Freshness, SearchQuestion, database_index
from tests.concerts import load_concerts, records, row_id
from workers.indexing import indexing_loops

KEY = "a-master-key-for-benchmarks"
SECONDS = 20
_COLUMNS = (
    "id name state category starts_at venue_id seat_map_version price_from price_to currency "
    "max_tickets_per_order"
).split()


async def main(events: int = 100_000, rate: int = 50) -> None:
    with tempfile.TemporaryDirectory(prefix="boxoffice-search-") as home:
        postgres = Postgres(Path(home), password="bench", durable=False)
        binary = find_binary()
        assert binary is not None, "run `make setup` first: Meilisearch's binary is not here"
        engine = Meilisearch(Path(home), KEY, binary)
        postgres.start()
        engine.start()
        try:
            await measure(postgres, engine, events, rate)
        finally:
            engine.stop()
            postgres.stop()


async def measure(postgres: Postgres, server: Meilisearch, events: int, rate: int) -> None:
    await migrate(postgres.url(DATABASE))
    database = Database(postgres.url(DATABASE))
    administration = MeilisearchAdministration(server.url(), KEY)
    index = MeilisearchIndex(server.url(), KEY)
    await fill(database, events)
    began = time.perf_counter()
    await rebuild(database, administration, shown)
    took = time.perf_counter() - began
    print(f"\n{events:,} events indexed: {events / took:,.0f} a second, both engines; {sizes(server)}")
    await database.fetch("DELETE FROM search_outbox")
    async with database.connection() as connection:
        await connection.execute("ANALYZE", timeout=600)
    freshness = Freshness(database, most_lag_seconds=1e9)
    for name, engine in (("INDEX", index), ("DATABASE", None)):
        search = EventSearch(engine, database_index(database), freshness, utc_now)
        print(f"{name:>9}: {await questions(search, name, rate)}")
    print(f"      lag: {await lag(database, index, administration)}")
    await index.close()
    await database.close()


async def fill(database: Database, events: int) -> None:
    """The real venues, performers and concerts, and as many recombined ones as are missing."""
    async with database.connection() as connection:
        await connection.execute("SET statement_timeout = 0")
        await load_concerts(connection)
        made = list(_events(max(0, events - 16_256)))
        for start in range(0, len(made), 20_000):
            rows = made[start : start + 20_000]
            await connection.copy_records_to_table(
                "events", columns=_COLUMNS, records=[row for row, _ in rows], timeout=300
            )
            await connection.copy_records_to_table(
                "event_performers",
                columns=["event_id", "performer_id", "position"],
                records=[(row[0], key, place) for row, bill in rows for place, key in enumerate(bill)],
                timeout=300,
            )
            print(f"\rloaded {16_256 + start + len(rows):,} of {events:,}", end="", flush=True)
        print()
        await connection.execute("DELETE FROM search_outbox", timeout=600)


def _events(number: int) -> Iterator[tuple[tuple[Any, ...], list[UUID]]]:
    choose = random.Random(7)
    venues = [row_id("venue", venue["id"]) for venue in records("venues")]
    performers = [row_id("performer", performer["id"]) for performer in records("performers")]
    titles = [event["title"] for event in records("events")]
    for _ in range(number):
        price = choose.choice([None, 0, 10_000, 15_000, 20_000, 30_000, 55_000])
        row = (
            new_uuid(), f"{choose.choice(titles)} {choose.choice(titles)[:12]}", "PUBLISHED",
            choose.choice(["Rock", "Folk", "Jazz", "Metal", None]),
            utc_now() + timedelta(minutes=choose.randrange(60, 60 * 24 * 700)),
            choose.choice(venues), "concert", price, price, None if price is None else "KRW", 8,
        )  # fmt: skip
        yield row, choose.sample(performers, choose.randint(1, 5))


def questions_asked(number: int) -> list[SearchQuestion]:
    """Names, their beginnings, typos and parts, with filters, places and dates among them."""
    choose = random.Random(11)
    names = [performer["name"].split("(")[0].strip() for performer in records("performers")]
    names += [venue["name"].split("(")[0].strip() for venue in records("venues")]
    spoil: list[Callable[[str], str]] = [
        lambda name: name,
        lambda name: name,
        lambda name: name[: max(2, len(name) // 2)],
        lambda name: name.replace(" ", ""),
        lambda name: name[:1] + name[2:] if len(name) > 3 else name,
        lambda name: f"{name} {choose.choice(['서울', '부산', 'busan', '3월', 'december'])}",
        lambda _: "",
    ]
    filters: list[dict[str, Any]] = [
        {}, {}, {}, {"city": "부산"}, {"category": "Jazz"}, {"price_max": 15_000},
        {"available_only": True}, {"near": (37.55, 126.92, 5.0)},
        {"near": (37.55, 126.92, 30.0), "sort": "DISTANCE"}, {"sort": "STARTS_AT"},
        {"start": utc_now() + timedelta(days=30), "end": utc_now() + timedelta(days=60)},
    ]  # fmt: skip
    return [
        SearchQuestion(choose.choice(spoil)(choose.choice(names)), **choose.choice(filters))
        for _ in range(number)
    ]


async def questions(search: EventSearch, source: str, rate: int) -> str:
    """Asked at a fixed rate, whatever the answers take."""
    took_ms: list[float] = []
    elsewhere = failed = 0

    async def ask(question: SearchQuestion) -> None:
        nonlocal elsewhere, failed
        began = time.perf_counter()
        try:
            found = await search.search_events(question)
        except Unavailable:
            failed += 1
            return
        took_ms.append((time.perf_counter() - began) * 1000)
        elsewhere += found.source != source

    await paced(questions_asked(rate * SECONDS), rate, ask)
    return f"{percentiles(took_ms)} ms at {rate}/s; {elsewhere} by the other engine, {failed} not at all"


async def lag(database: Database, index: MeilisearchIndex, engine: MeilisearchAdministration) -> str:
    """From the commit of a rename to finding the new name, one in twenty followed."""
    loops = [asyncio.create_task(loop.run()) for loop in indexing_loops(database, engine)]
    events = [row["id"] for row in await database.fetch("SELECT id FROM events LIMIT 1000")]
    search = EventSearch(index, database_index(database), Freshness(database, most_lag_seconds=1e9), utc_now)
    took_ms: list[float] = []

    async def change(number: int) -> None:
        mark = f"zq{number:04d}wx"
        await database.fetch("UPDATE events SET name = $2 WHERE id = $1", events[number], mark)
        began = time.perf_counter()
        while number % 20 == 0:
            found = await search.search_events(SearchQuestion(mark, page_size=1))
            if events[number] in found.event_ids:
                took_ms.append((time.perf_counter() - began) * 1000)
                return
            await asyncio.sleep(0.05)

    async with asyncio.timeout(120):
        await paced(list(range(1000)), 100, change)
    for task in loops:
        task.cancel()
    await asyncio.gather(*loops, return_exceptions=True)
    return f"{percentiles(took_ms)} ms from commit to findable at 100 changes/s"


async def paced(items: list[Any], rate: int, act: Callable[[Any], Awaitable[None]]) -> None:
    """Start one act each 1/rate of a second, and wait for all."""
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, item in enumerate(items):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            group.create_task(_run(act, item))


async def _run(act: Callable[[Any], Awaitable[None]], item: Any) -> None:
    await act(item)


def percentiles(took_ms: list[float]) -> str:
    cuts = statistics.quantiles(took_ms, n=100)
    return f"p50 {cuts[49]:.0f}, p95 {cuts[94]:.0f}, p99 {cuts[98]:.0f}"


def sizes(server: Meilisearch) -> str:
    stored = sum(path.stat().st_size for path in server.directory.rglob("*") if path.is_file())
    assert server.process is not None
    memory = psutil.Process(server.process.pid).memory_info().rss
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"index {stored / 2**20:,.0f} MiB on disk, engine {memory / 2**20:,.0f} MiB resident, "
        f"this process {ours:,.0f} MiB"
    )


def shown(progress: Progress) -> None:
    print(f"\rindexed {progress.done:,} of {progress.total:,}", end="", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
