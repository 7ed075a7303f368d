"""An honest searcher beside four hostile clients: python -m benchmarks.abuse_search --tree TREE

The hostile clients send, without a pause, as many expensive searches in an operation as the server takes
(60, or where that is refused 4). The honest one searches five times a second. Both are anonymous, from one
address. Measured: the honest searcher's latency, and the share of its answers that came from the index.
"""

import argparse
import asyncio
import random
import re
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import httpx

from benchmarks.installation import ROOT, Installation, environment_of, open_installation, python_of
from devservices.meilisearch import MAX_PRIVATE_BYTES, private_bytes
from devservices.part import read_pid

HOSTILE_CLIENTS = 4
MOST_FIELDS, FEW_FIELDS = 60, 4
SEARCHES = 100
PAUSE_SECONDS = 0.2
INDEXING_SECONDS = 180.0
SEARCH = "query Search($keyword: String!) { searchEvents(input: {keyword: $keyword}) { total source } }"
WORDS = ("rock", "seoul", "live", "jazz", "night", "band", "festival", "tour", "club", "hall")


@dataclass(frozen=True, slots=True)
class HonestSearches:
    """What the honest searcher saw, in milliseconds; `from_index` and `failed` are shares of all."""

    p50_ms: float
    p99_ms: float
    from_index: float
    failed: float
    hostile_operations: int


async def honest_beside_hostile(port: int, *, hostile_clients: int = HOSTILE_CLIENTS) -> HonestSearches:
    """Measure an installation that is running and has events in its index."""
    stop, operations = asyncio.Event(), Counter[str]()
    limits = httpx.Limits(max_connections=hostile_clients + 1)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60, limits=limits
    ) as client:
        attacks = [asyncio.create_task(_attack(client, stop, operations, n)) for n in range(hostile_clients)]
        await asyncio.sleep(1)
        try:
            found = await _search_honestly(client)
        finally:
            stop.set()
            await asyncio.gather(*attacks, return_exceptions=True)
    took = [ms for ms, _ in found]
    sources = Counter(source for _, source in found)
    cuts = quantiles(took, n=100)
    return HonestSearches(
        cuts[49], cuts[98], sources["INDEX"] / len(found), sources["failed"] / len(found), operations["sent"]
    )


async def _attack(
    client: httpx.AsyncClient, stop: asyncio.Event, operations: Counter[str], seed: int
) -> None:
    choose, fields = random.Random(seed), MOST_FIELDS
    while not stop.is_set():
        answer = await client.post("/graphql", json={"query": _expensive(choose, fields)})
        operations["sent"] += 1
        if answer.status_code == 400:
            fields = FEW_FIELDS


def _expensive(choose: random.Random, fields: int) -> str:
    """Different words in each search, so that nothing is answered from a cache."""
    parts = []
    for number in range(fields):
        keyword = (
            f"{choose.choice(WORDS)} {choose.choice('abcdefghijklmnopqrstuvwxyz')} {choose.random():.6f}"
        )
        parts.append(f'f{number}: searchEvents(input: {{keyword: "{keyword}", pageSize: 20}}) {{ total }}')
    return f"{{ {' '.join(parts)} }}"


async def _search_honestly(client: httpx.AsyncClient) -> list[tuple[float, str]]:
    choose, found = random.Random(7), []
    for _ in range(SEARCHES):
        keyword = f"{choose.choice(WORDS)} {choose.choice(WORDS)}{choose.randrange(1_000)}"
        began = time.perf_counter()
        body = {"query": SEARCH, "variables": {"keyword": keyword}}
        answer = (await client.post("/graphql", json=body)).json()
        took_ms = (time.perf_counter() - began) * 1_000
        data = answer.get("data") or {}
        found.append((took_ms, data["searchEvents"]["source"] if data.get("searchEvents") else "failed"))
        await asyncio.sleep(PAUSE_SECONDS)
    return found


def fill(installation: Installation, tree: Path) -> None:
    """Load the demo with the real concerts, and wait until all of them are in the index.

    While they are imported, the index lags behind and the database answers in its place, to everybody; and
    `boxoffice up` restarts an engine that keeps the memory of an import.
    """
    command = [python_of(tree), "-m", "cli", "demo", "--data-dir", str(installation.data_dir)]
    subprocess.run(command, cwd=tree, env=environment_of(tree), check=True, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + INDEXING_SECONDS
    with httpx.Client(
        base_url=f"http://127.0.0.1:{installation.port}", trust_env=False, timeout=30
    ) as client:
        while not _is_indexed(client) or _keeps_memory(installation):
            if time.monotonic() > deadline:
                raise SystemExit("The index was not built in time.")
            time.sleep(0.5)


def _is_indexed(client: httpx.Client) -> bool:
    body = {"query": SEARCH, "variables": {"keyword": ""}}
    found = (client.post("/graphql", json=body).json()["data"] or {}).get("searchEvents")
    lag = re.search(r"^boxoffice_search_lag_seconds (\S+)$", client.get("/metrics").text, re.MULTILINE)
    assert lag is not None, "the metrics are on the public port in development"
    return bool(found and found["source"] == "INDEX" and found["total"] > 0 and float(lag[1]) == 0)


def _keeps_memory(installation: Installation) -> bool:
    pid = read_pid(installation.data_dir / "run" / "meilisearch.pid")
    return pid is None or private_bytes(pid) > MAX_PRIVATE_BYTES


def measure(tree: Path) -> tuple[HonestSearches, HonestSearches]:
    """Start an installation of a checkout and fill it; the honest searcher alone, then beside the others."""
    with open_installation(tree=tree) as installation:
        fill(installation, tree)
        alone = asyncio.run(honest_beside_hostile(installation.port, hostile_clients=0))
        return alone, asyncio.run(honest_beside_hostile(installation.port))


def main(words: Sequence[str] | None = None) -> None:
    """Print a line for each tree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tree", type=Path, nargs="*", default=[ROOT], help="checkouts (this one)")
    for tree in parser.parse_args(words).tree:
        for name, found in zip(("alone", "beside"), measure(tree.resolve()), strict=True):
            print(
                f"{tree}, {name}: p50 {found.p50_ms:.0f} ms, p99 {found.p99_ms:.0f} ms, "
                f"{found.from_index:.0%} from the index, {found.failed:.0%} failed, "
                f"{found.hostile_operations} hostile operations"
            )


if __name__ == "__main__":
    main()
