"""Search at size, through GraphQL over HTTP: python -m benchmarks.search --events 1000000

Events are the real concerts' performers, venues and titles put together anew. Measured: how fast they are
indexed by the real rebuild, and how much that takes of disk and memory; then so many questions a second in
an open loop (a late answer counts from when it was due) to the index, and to the database with Meilisearch
stopped; and how long a change takes to be findable while so many a second are made.

While they are indexed, the parts share all cores. For the questions they are started again: PostgreSQL and
Meilisearch on core 0; the API process, the worker and the load on core 1, as `taskset` would pin them.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.client import Client
from benchmarks.installation import LOAD_CORE
from benchmarks.search_catalogue import fill, questions
from benchmarks.search_installation import (
    PARTS_CORE,
    SearchInstallation,
    cpu_of,
    on_cores,
    pss_mib,
)
from commands.output import progress_shown
from db.session import Database
from devservices.process import Command
from workers.reindex import reindex

CONNECTIONS = 48
FOLLOWED = 20  # one change in so many is looked for
LOOK_SECONDS = 0.05
LONGEST_LAG_SECONDS = 120
WARMING = 100  # questions asked before
OUT = Path(__file__).parent / "out" / "search.json"
FIGURES = "figures.json"

SEARCH = """
query Search($input: SearchEventsInput!) {
  searchEvents(input: $input) {
    events { id name startsAt venue { name city } performers { name } priceFrom { amount currency } }
    total totalPages facets { field buckets { value count } }
    highlights { eventId field text ranges { start length } }
    tookMs source
  }
}
"""
_TO_CHANGE = "SELECT id FROM events WHERE starts_at > now() ORDER BY md5(id::text) LIMIT $1"
Phase = Callable[[SearchInstallation, Database, argparse.Namespace], Awaitable[dict[str, Any]]]
FIND = "query Find($input: SearchEventsInput!) { searchEvents(input: $input) { events { name } source } }"


@dataclass(slots=True)
class Answers:
    """How long answers took from when they were due, in milliseconds, and who gave them."""

    took_ms: list[float] = field(default_factory=list)
    by_kind: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    sources: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, source: str, took_ms: float) -> None:
        """One more answer."""
        self.took_ms.append(took_ms)
        self.by_kind[kind].append(took_ms)
        self.sources[source] += 1

    def summary(self) -> dict[str, Any]:
        """Percentiles, of all and of each kind."""
        kinds = {kind: percentiles(took) for kind, took in sorted(self.by_kind.items())}
        return {
            **percentiles(self.took_ms),
            "sources": dict(self.sources),
            "failures": dict(self.failures),
            "kinds": kinds,
        }


class RefusedError(Exception):
    """The API answered with an error; the message is its code."""


async def measure(installation: SearchInstallation, chosen: argparse.Namespace) -> dict[str, Any]:
    """Every figure, or those that were asked for beside the ones that are kept from an earlier run."""
    database = Database(installation.settings.database_url)
    kept = installation.home / FIGURES
    figures: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    figures |= {"events": chosen.events, "rate": chosen.rate, "load": os.getloadavg()}
    try:
        if "indexing" not in figures:
            figures["indexing"] = await index(installation, database, chosen.events)
            note("indexing", figures, kept)
        installation.restart_pinned()
        os.sched_setaffinity(0, {LOAD_CORE} & os.sched_getaffinity(0) or os.sched_getaffinity(0))
        for name in chosen.only:
            figures[name] = await PHASES[name](installation, database, chosen)
            note(name, figures, kept)
    finally:
        await database.close()
    return figures


async def ask_index(
    installation: SearchInstallation, _: Database, chosen: argparse.Namespace
) -> dict[str, Any]:
    """The questions, answered by Meilisearch, and what it and the API process took for them."""
    before_mib, before_seconds = pss_mib(installation.engine), cpu_of(installation.api)
    asked = questions(chosen.rate * chosen.seconds)
    answered = await ask_all(installation, asked, chosen.rate)
    return {
        **answered,
        "api_cpu_ms_a_search": api_cpu_ms(installation, before_seconds, len(asked)),
        "engine_pss_mib": [before_mib, pss_mib(installation.engine)],
    }


async def ask_database(
    installation: SearchInstallation, _: Database, chosen: argparse.Namespace
) -> dict[str, Any]:
    """The same questions with Meilisearch stopped."""
    installation.engine.stop()
    before_seconds = cpu_of(installation.api)
    asked = questions(chosen.rate * chosen.seconds)
    answered = await ask_all(installation, asked, chosen.rate)
    with on_cores(PARTS_CORE):
        installation.engine.start()
    return {**answered, "api_cpu_ms_a_search": api_cpu_ms(installation, before_seconds, len(asked))}


def api_cpu_ms(installation: SearchInstallation, before_seconds: float, asked: int) -> float:
    """CPU time of the API process a question, those that warmed it up counted."""
    return round((cpu_of(installation.api) - before_seconds) * 1000 / (asked + WARMING), 1)


async def index(installation: SearchInstallation, database: Database, events: int) -> dict[str, Any]:
    """Load and index, with the seconds each took."""
    Command(installation.home, "migrate", ["migrate"], installation.settings).run_to_end()
    with progress_shown() as report:
        began = time.perf_counter()
        loaded = await fill(database, events, report)
        filled = time.perf_counter()
        await reindex(installation.settings, report)
        indexed = time.perf_counter()
    async with database.connection() as connection:
        await connection.execute("SET statement_timeout = 0")
        await connection.execute("VACUUM ANALYZE", timeout=900)
        size = await connection.fetchval("SELECT pg_database_size(current_database())")
    stored = sum(path.stat().st_size for path in installation.engine.directory.rglob("*") if path.is_file())
    return {
        "events": loaded,
        "load_seconds": round(filled - began, 1),
        "index_seconds": round(indexed - filled, 1),
        "documents_a_second": round(loaded / (indexed - filled)),
        "index_mib_on_disk": round(stored / 2**20),
        "database_mib_on_disk": round(size / 2**20),
        "engine_pss_mib": pss_mib(installation.engine),
    }


async def ask_all(
    installation: SearchInstallation, asked: list[tuple[str, dict[str, Any]]], rate: int
) -> dict[str, Any]:
    """Each question when it is due, whatever the others take; the first of them once before, to warm up."""
    answers = Answers()
    async with connections(installation) as free:

        async def ask(question: tuple[str, dict[str, Any]], due: float) -> None:
            kind, wanted = question
            try:
                found = (await post(free, SEARCH, wanted))["searchEvents"]
            except RefusedError as refusal:
                answers.failures[str(refusal)] += 1
                return
            answers.add(kind, found["source"], (time.perf_counter() - due) * 1000)

        await paced(asked[:WARMING], rate, ask)
        answers = Answers()
        await paced(asked, rate, ask)
    return answers.summary()


async def lag(
    installation: SearchInstallation, database: Database, chosen: argparse.Namespace
) -> dict[str, Any]:
    """From the commit of a rename to finding the new name, one in twenty followed; seconds."""
    rate, seconds = chosen.changes, chosen.seconds
    with on_cores(LOAD_CORE):
        installation.worker.start()
    rows = await database.fetch(_TO_CHANGE, rate * seconds)
    answers = Answers()
    async with connections(installation) as free:

        async def change(number: int, _: float) -> None:
            mark = "".join(random.Random(number).choices("bcdfghjklmnpqrstvwxz", k=12))
            await database.fetch("UPDATE events SET name = $2 WHERE id = $1", rows[number]["id"], mark)
            if number % FOLLOWED:
                return
            began = time.perf_counter()
            source = await found_by(free, mark, began + LONGEST_LAG_SECONDS)
            answers.add("change", source, (time.perf_counter() - began) * 1000)

        await paced(list(range(len(rows))), rate, change)
    behind = "SELECT count(*) AS left FROM search_outbox"
    deadline = time.perf_counter() + LONGEST_LAG_SECONDS
    while (await database.fetch(behind))[0]["left"] and time.perf_counter() < deadline:
        await asyncio.sleep(0.2)  # or the next run would find the index behind
    installation.worker.stop()
    return {"changes_a_second": rate, **answers.summary()}


PHASES: dict[str, Phase] = {"INDEX": ask_index, "DATABASE": ask_database, "lag": lag}


async def found_by(free: "asyncio.LifoQueue[Client]", mark: str, deadline: float) -> str:
    """Look until it is found; by which engine, or NONE when that took too long."""
    looks = cycle(range(5, 50))
    while time.perf_counter() < deadline:
        # A page of another size each time: the answer to the last look may be kept for a second.
        found = (await post(free, FIND, {"keyword": mark, "pageSize": next(looks)}))["searchEvents"]
        if any(event["name"] == mark for event in found["events"]):
            return str(found["source"])
        await asyncio.sleep(LOOK_SECONDS)
    return "NONE"


@contextlib.asynccontextmanager
async def connections(installation: SearchInstallation) -> Any:
    """Keep-alive connections, used in turn."""
    free: asyncio.LifoQueue[Client] = asyncio.LifoQueue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await installation.client().open())
    yield free
    while not free.empty():
        free.get_nowait().close()


async def post(free: "asyncio.LifoQueue[Client]", query: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """The data of one answer.

    Raises:
        RefusedError: with its code.
    """
    client = await free.get()
    body = json.dumps({"query": query, "variables": {"input": wanted}}).encode()
    try:
        answer = await client.post(body)
    except (asyncio.IncompleteReadError, ConnectionError):  # closed, having been idle
        answer = await (await client.open()).post(body)
    finally:
        free.put_nowait(client)
    if "errors" in answer:
        raise RefusedError(answer["errors"][0]["extensions"]["code"])
    data: dict[str, Any] = answer["data"]
    return data


async def paced(items: list[Any], rate: int, act: Callable[[Any, float], Awaitable[None]]) -> None:
    """Start one act each 1/rate of a second, given when it was due, and wait for all."""
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, item in enumerate(items):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(_run(act, item, due))


async def _run(act: Callable[[Any, float], Awaitable[None]], item: Any, due: float) -> None:
    await act(item, due)


def percentiles(took_ms: list[float]) -> dict[str, float]:
    """p50, p95, p99 and the worst, milliseconds."""
    cuts = statistics.quantiles(took_ms, n=100, method="inclusive")
    named = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "worst": max(took_ms)}
    return {"count": len(took_ms), **{name: round(value, 1) for name, value in named.items()}}


def note(name: str, figures: dict[str, Any], kept: Path) -> None:
    """What is known so far, on the screen and in the files."""
    print(f"{name}: {json.dumps(figures[name], ensure_ascii=False)}", flush=True)
    OUT.parent.mkdir(exist_ok=True)
    for file in (OUT, kept):
        file.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")


def show(figures: dict[str, Any]) -> None:
    """The figures with their goals at a million events."""
    indexing = figures["indexing"]
    table = Table("what", "measured", "goal at a million", title=f"Search, {indexing['events']:,} events")
    table.add_row("documents indexed a second", f"{indexing['documents_a_second']:,}", "-")
    sizes = f"{indexing['index_mib_on_disk']:,} / {indexing['database_mib_on_disk']:,}"
    table.add_row("on disk: index / database, MiB", sizes, "-")
    table.add_row("Meilisearch after indexing, PSS MiB", f"{indexing['engine_pss_mib']:,}", "-")
    for name, goal in (("INDEX", 50), ("DATABASE", 500), ("lag", 1000)):
        if name not in figures:
            continue
        took = figures[name]
        row = f"{took['p50']} / {took['p95']} / {took['p99']}"
        table.add_row(
            f"{name}, ms: p50 / p95 / p99",
            f"{row} {took['sources']} failed: {took['failures'] or 0}",
            f"p99 < {goal}",
        )
    Console().print(table)
    print(f"all figures: {OUT}")


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="how many (100,000)")
    parser.add_argument("--rate", type=int, default=50, help="questions a second (50)")
    parser.add_argument("--seconds", type=int, default=20, help="of questions, and of changes (20)")
    parser.add_argument("--changes", type=int, default=100, help="changes a second (100)")
    parser.add_argument("--home", type=Path, help="keep everything there; what is indexed there is not again")
    parser.add_argument("--only", nargs="+", choices=PHASES, default=list(PHASES), help="of what to measure")
    chosen = parser.parse_args()
    with contextlib.ExitStack() as temporary:
        home = chosen.home or temporary.enter_context(tempfile.TemporaryDirectory(prefix="boxoffice-search-"))
        installation = SearchInstallation(Path(home))
        try:
            show(uvloop.run(measure(installation, chosen)))
        finally:
            installation.stop()


if __name__ == "__main__":
    main()
