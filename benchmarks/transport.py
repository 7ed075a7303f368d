"""GraphQL over HTTP by CPU a request, against prepared bytes and against the peers.

    python -m benchmarks transport

Our API process, A1 (Starlette returning prepared bytes), a bare ASGI application, Strawberry's own view and
Mercurius with its JIT share core 0 and take turns; the load and every other part run on core 1. Each round
asks every case once. A case's ratio is the CPU time of what it is held against, in the same round, over its
own. An organiser's queries are fresh: nobody shares their answers, and all that an answer is made of is
looked up for each (docs/adr/same-reads.md). "Executed" is what they cost when something has changed, or when
a request asks for its cost: every resolver runs.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.load import LoadError, Measured, http_request, measure
from benchmarks.sale import LOAD_CORE, PRICE, SERVER_CORE, House, create_event, open_house, seating_plan
from benchmarks.sale import RESERVE as RESERVE_QUERY
from commands.plots import bar_plot
from devservices.ports import free_port, is_listening

OUT = Path(__file__).parent / "out"
MERCURIUS = Path(__file__).parent / "mercurius"
PLOT = Path(__file__).parents[1] / "docs" / "images" / "transport.svg"
CONNECTIONS = 32
EVENT = """
query Event($id: ID!) {
  event(id: $id) {
    id name description category startsAt endsAt timezone status
    onSaleAt offSaleAt maxTicketsPerOrder orphanRule
    priceFrom { amount currency } priceTo { amount currency }
    venue { id name address city country lat lng timezone }
    performers { id name genres }
    availability { total available held booked }
  }
}
"""
LIST = (
    "query List { events(first: 20) { edges { node { id name category startsAt status venue { name } } } } }"
)


@dataclass(frozen=True, slots=True)
class Server:
    """A process that is measured."""

    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Case:
    """One request to one server, and what it is held against."""

    name: str
    server: Server
    request: bytes
    marker: bytes
    against: str | None = None
    goal: float | None = None
    rounds: list[Measured] = field(default_factory=list)

    @property
    def cpu_us(self) -> list[float]:
        """CPU time a request in each round, least first."""
        return sorted(each.cpu_us for each in self.rounds)


@dataclass(frozen=True, slots=True)
class Requests:
    """What our own server is asked."""

    house: House
    event_id: str
    taken_seats: list[str]

    def post(
        self, query: str, variables: dict[str, Any], *scopes: str, path: str = "/graphql", **headers: str
    ) -> bytes:
        """A POST, signed in where scopes are given."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        if scopes:
            headers["authorization"] = f"Bearer {self.house.token('asker', *scopes)}"
        return http_request("POST", path, body, **headers)

    def event(self, *scopes: str, path: str = "/graphql", **headers: str) -> bytes:
        """One event of some thirty fields."""
        return self.post(EVENT, {"id": self.event_id}, *scopes, path=path, **headers)

    def event_by_get(self) -> bytes:
        """The same, as a CDN asks."""
        variables = json.dumps({"id": self.event_id})
        return http_request("GET", f"/graphql?{urlencode({'query': EVENT, 'variables': variables})}")

    def listing(self, *scopes: str, path: str = "/graphql", **headers: str) -> bytes:
        """Twenty events of six fields."""
        return self.post(LIST, {}, *scopes, path=path, **headers)

    def refused_hold(self) -> bytes:
        """Seats that somebody else holds."""
        selection = {"eventId": self.event_id, "selection": {"seatIds": self.taken_seats}}
        return self.post(RESERVE_QUERY, {"input": selection}, "buy")


def prepare(house: House) -> Requests:
    """Twenty events, the first of which has two seats that are taken."""
    made = [
        create_event(
            house,
            name=f"Benchmark night {number}",
            description="An evening of measured music, played twice as fast as it was written.",
            category="Concert",
            onSaleAt="2020-01-01T10:00:00Z",
            performers=["The Medians", "Standard Deviation"],
            seatingPlan=seating_plan(500),
            priceLevels=[{"category": "Hall", "price": PRICE}],
        )
        for number in range(20)
    ]
    event = made[0]
    seats = [seat["id"] for seat in event["seatMap"]["sections"][0]["seats"][10:12]]
    variables = {"input": {"eventId": event["id"], "selection": {"seatIds": seats}}}
    answer = httpx.post(
        f"http://127.0.0.1:{house.port}/graphql",
        json={"query": RESERVE_QUERY, "variables": variables},
        headers={"authorization": f"Bearer {house.token('holder', 'buy')}"},
    ).json()
    assert answer["data"]["reserve"]["__typename"] == "ReserveSuccess", answer
    return Requests(house, event["id"], seats)


def record(requests: Requests, folder: Path) -> None:
    """Ask our own server once and keep its answers: the peers send the same bytes."""
    house = requests.house
    questions = {
        "event": (EVENT, {"id": requests.event_id}, "organise"),
        "list": (LIST, {}, "organise"),
        "refused": (
            RESERVE_QUERY,
            {"input": {"eventId": requests.event_id, "selection": {"seatIds": requests.taken_seats}}},
            "buy",
        ),
    }
    for name, (query, variables, scope) in questions.items():
        answer = httpx.post(
            f"http://127.0.0.1:{house.port}/graphql",
            json={"query": query, "variables": variables},
            headers={"authorization": f"Bearer {house.token('asker', scope)}", "accept-encoding": "identity"},
        )
        assert "errors" not in answer.json(), answer.text
        (folder / f"{name}.json").write_bytes(answer.content)


@contextlib.contextmanager
def serving(command: list[str], port: int, environment: dict[str, str]) -> Iterator[Server]:
    """A peer on the servers' core."""
    command = ["taskset", "-c", str(SERVER_CORE), *command]
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        for _ in range(300):
            if is_listening(port) or process.poll() is not None:
                break
            process_wait(process)
        if not is_listening(port):
            raise SystemExit(f"{' '.join(command)} did not start.")
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(30)


def process_wait(process: subprocess.Popen[bytes]) -> None:
    """Give a process a tenth of a second, or less where it ends."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(0.1)


def our_api(house: House) -> psutil.Process:
    """The API process, left on its core while the other parts move to the load's."""
    api = psutil.Process(int((house.data_dir / "run" / "api-0.pid").read_text()))
    for process in psutil.Process(house.process.pid).children(recursive=True):
        if process.pid != api.pid:
            with contextlib.suppress(psutil.Error):
                process.cpu_affinity([LOAD_CORE])
    return api


def install_mercurius() -> Path:
    """The peer with what its lock file names, installed once under benchmarks/out."""
    folder = OUT / "mercurius"
    folder.mkdir(parents=True, exist_ok=True)
    lock = (MERCURIUS / "package-lock.json").read_bytes()
    installed = folder / "package-lock.json"
    fresh = installed.exists() and installed.read_bytes() == lock and (folder / "node_modules").exists()
    for path in MERCURIUS.iterdir():
        shutil.copy(path, folder)
    if not fresh:
        subprocess.run(["npm", "ci", "--silent", "--no-fund", "--no-audit"], cwd=folder, check=True)
    return folder


@contextlib.contextmanager
def all_cases() -> Iterator[list[Case]]:
    """Every server, started, and what each is asked."""
    with contextlib.ExitStack() as stack:
        house = stack.enter_context(open_house(free_port()))
        requests = prepare(house)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="boxoffice-bench-")))
        record(requests, folder)
        api = our_api(house)
        settings = {name: value for name, value in api.environ().items() if name.startswith("BOXOFFICE_")}
        servers = {"ours": Server(house.port, api.pid)}
        for name in ("prepared", "bare", "naive"):
            port = free_port()
            command = [sys.executable, "-m", "benchmarks.peers", name, str(port), str(folder)]
            servers[name] = stack.enter_context(serving(command, port, settings))
        if shutil.which("npm"):
            port = free_port()
            command = ["node", str(install_mercurius() / "server.js"), str(port), str(folder)]
            production = {"NODE_ENV": "production"}
            servers["mercurius"] = stack.enter_context(serving(command, port, production))
        yield cases_of(requests, servers)


def cases_of(requests: Requests, servers: dict[str, Server]) -> list[Case]:
    """What is asked of whom."""
    ours, prepared, bare = servers["ours"], servers["prepared"], servers["bare"]
    event, many, taken = b"Standard Deviation", b"Benchmark night 19", b"SeatsUnavailable"
    fresh = requests.event("buy", "organise")
    cases = [
        Case("A1 event", prepared, requests.event("buy", "organise", path="/event"), event),
        Case("A1 list", prepared, requests.listing("buy", "organise", path="/list"), many),
        Case("A1 refused", prepared, requests.event("buy", path="/refused"), taken),
        Case("bare GET", bare, requests.event_by_get(), event),
        Case("bare POST", bare, requests.event(), event),
        Case("event, fresh, signed in", ours, fresh, event, "A1 event", 0.75),
        Case("list, fresh, signed in", ours, requests.listing("buy", "organise"), many, "A1 list", 0.6),
        Case(
            "event, executed", ours, requests.event("buy", "organise", x_graphql_cost="1"), event, "A1 event"
        ),
        Case(
            "list, executed", ours, requests.listing("buy", "organise", x_graphql_cost="1"), many, "A1 list"
        ),
        Case("event, cached, GET", ours, requests.event_by_get(), event, "bare GET", 0.85),
        Case("event, cached, POST", ours, requests.event(), event, "bare POST", 0.85),
        Case("hold turned away", ours, requests.refused_hold(), taken, "A1 refused", 0.4),
        Case("naive event", servers["naive"], fresh, event, "A1 event"),
        Case("naive list", servers["naive"], requests.listing("buy", "organise"), many, "A1 list"),
    ]
    if "mercurius" in servers:
        peer = servers["mercurius"]
        cases += [
            Case("Mercurius event", peer, requests.event(), event, "A1 event"),
            Case("Mercurius list", peer, requests.listing(), many, "A1 list"),
        ]
    return cases


async def run(cases: list[Case], rounds: int, seconds: float) -> None:
    """One round to warm up, then the rounds that count."""
    for number in range(rounds + 1):
        for case in cases:
            server = case.server
            try:
                measured = await measure(
                    server.port,
                    server.pid,
                    case.request,
                    case.marker,
                    seconds=seconds,
                    connections=CONNECTIONS,
                )
            except LoadError as error:
                raise SystemExit(f"{case.name}: {error}") from None
            if number:
                case.rounds.append(measured)


def ratios(case: Case, cases: list[Case]) -> list[float]:
    """How much of what it is held against a case reaches, round by round, least first."""
    base = next(each for each in cases if each.name == case.against)
    return sorted(b.cpu_us / own.cpu_us for own, b in zip(case.rounds, base.rounds, strict=True))


def report(cases: list[Case]) -> None:
    """The table, the figures as JSON, and the plot."""
    table = Table("case", "CPU µs a request", "of", "ratio", "goal", title="GraphQL over HTTP, one core")
    figures: list[dict[str, Any]] = []
    for case in cases:
        reached = ratios(case, cases) if case.against else []
        table.add_row(
            case.name,
            _spread(case.cpu_us, 1),
            case.against or "",
            _spread(reached, 2) if reached else "",
            f">= {case.goal}" if case.goal else "",
        )
        figures.append(
            {
                "case": case.name,
                "cpu_us": case.cpu_us,
                "requests_a_second": [each.requests_a_second for each in case.rounds],
                "against": case.against,
                "ratios": reached,
                "goal": case.goal,
            }
        )
    Console(width=110).print(table)
    OUT.mkdir(exist_ok=True)
    (OUT / "transport.json").write_text(json.dumps(figures, indent=1))
    compared = [each for each in figures if each["against"]]
    PLOT.write_text(
        bar_plot(
            "CPU a request: what part of prepared bytes each answer reaches (line: goal)",
            {f"{each['case']} / {each['against']}": median(each["ratios"]) for each in compared},
            {f"{each['case']} / {each['against']}": each["goal"] for each in compared if each["goal"]},
        ),
        encoding="utf-8",
    )


def _spread(values: list[float], digits: int) -> str:
    return f"{median(values):.{digits}f} ({values[0]:.{digits}f} to {values[-1]:.{digits}f})"


def main() -> None:
    """Measure, and report."""
    import uvloop

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5, help="of load, each case and round")
    arguments = parser.parse_args()
    with all_cases() as cases:
        os.sched_setaffinity(0, {LOAD_CORE})
        uvloop.run(run(cases, arguments.rounds, arguments.seconds))
    report(cases)


if __name__ == "__main__":
    main()
