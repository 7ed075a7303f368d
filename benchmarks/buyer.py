"""GraphQL over HTTP as a buyer behind a proxy gets it, by CPU a request.

    python -m benchmarks buyer [--against DIRECTORY] [--rounds 6] [--seconds 1] [--unlimited]

The API process, A1 (Starlette returning the same answers as prepared bytes), Mercurius with its JIT and
Strawberry's own view share core 0 and take turns; the load and every other part run on core 1. Requests
come over 32 connections from 499 buyers, no two of the same bytes (benchmarks/buyer_requests.py). All four
rate limits count (their budgets are not reached), telemetry is on and X-Forwarded-For is trusted.

A ratio is the CPU time of A1 over that of the server in the same round. `--against` names another checkout,
with a .venv of its own, that is measured in the same rounds.
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

from rich.console import Console
from rich.table import Table

from benchmarks.buyer_requests import (
    EVENT_MARKER,
    LIST_MARKER,
    REFUSED_MARKER,
    Buyers,
    Questions,
    prepare,
)
from benchmarks.installation import (
    LOAD_CORE,
    OUT,
    ROOT,
    Installation,
    Server,
    open_installation,
    serving,
)
from benchmarks.load import LoadError, Measured, measure
from benchmarks.sample_events import ask
from devservices.ports import free_port

MERCURIUS = Path(__file__).parent / "mercurius"
THIS, OTHER, PREPARED = "this build", "other build", "A1"
BEHIND_A_PROXY = {"BOXOFFICE_TRUSTED_PROXIES": "127.0.0.1", "BOXOFFICE_HOLD_SECONDS": "7200"}
LIMITS = {
    f"BOXOFFICE_RATE_LIMIT_{name}PER_MINUTE": value
    for name, value in {
        "": "10000000",
        "COST_": "1000000000",
        "KEY_COST_": "1000000000",
        "ADDRESS_COST_": "1000000000",
    }.items()
}
GOALS = {"event, from the cache": 1.0, "event, every resolver run": 0.75, "hold refused": 0.4}
GOALS |= {"20 events x 6 fields, every resolver run": 0.65}


@dataclass(slots=True)
class Case:
    """One kind of request to one server."""

    name: str
    server_name: str
    server: Server
    requests: Iterator[bytes]
    marker: bytes
    rounds: list[Measured] = field(default_factory=list)


def cases_of_build(name: str, installation: Installation, server: Server, questions: Questions) -> list[Case]:
    """What a build of ours is asked."""
    buyers = Buyers(installation)
    event, listing = questions.event, questions.listing
    cases = {
        "event, from the cache": (buyers.posts(event), EVENT_MARKER),
        "event, every resolver run": (buyers.posts(event, wants_cost=True), EVENT_MARKER),
        "20 events x 6 fields, from the cache": (buyers.posts(listing), LIST_MARKER),
        "20 events x 6 fields, every resolver run": (buyers.posts(listing, wants_cost=True), LIST_MARKER),
        "hold refused": (buyers.posts(questions.refused), REFUSED_MARKER),
        "hold refused, with an idempotency key": (buyers.posts(questions.refused_with_key), REFUSED_MARKER),
        "event by GET, from the cache": (buyers.gets(event), EVENT_MARKER),
    }
    return [Case(case, name, server, *given) for case, given in cases.items()]


def cases_of_peer(name: str, server: Server, installation: Installation, questions: Questions) -> list[Case]:
    """The same questions to a server of another make."""
    buyers = Buyers(installation)
    paths = ("/event", "/list", "/refused") if name == PREPARED else ("/graphql",) * 3
    cases = [
        Case("event", name, server, buyers.posts(questions.event, paths[0]), EVENT_MARKER),
        Case("20 events x 6 fields", name, server, buyers.posts(questions.listing, paths[1]), LIST_MARKER),
    ]
    if name == PREPARED:
        refused, gets = buyers.posts(questions.refused, paths[2]), buyers.gets(questions.event, paths[0])
        cases.append(Case("hold refused", name, server, refused, REFUSED_MARKER))
        cases.append(Case("event by GET", name, server, gets, EVENT_MARKER))
    return cases


def record(installation: Installation, questions: Questions, folder: Path) -> None:
    """Keep our answers as files: the peers send the same bytes."""
    token = installation.token("asker")
    for name, some in (
        ("event", questions.event),
        ("list", questions.listing),
        ("refused", questions.refused),
    ):
        answer = ask(installation, some[0].query, some[0].variables, token)
        (folder / f"{name}.json").write_text(
            json.dumps({"data": answer}, ensure_ascii=False, separators=(",", ":"))
        )


@contextlib.contextmanager
def all_cases(options: argparse.Namespace) -> Iterator[list[Case]]:
    """Every server, started, and what each is asked."""
    settings = BEHIND_A_PROXY | ({} if options.unlimited else LIMITS)
    trees = {THIS: ROOT} | ({OTHER: options.against.resolve()} if options.against else {})
    cases: list[Case] = []
    with contextlib.ExitStack() as stack:
        for name, tree in trees.items():
            installation = stack.enter_context(open_installation(tree=tree, settings=settings))
            questions = prepare(installation)
            cases += cases_of_build(name, installation, installation.isolate_api(), questions)
            if name == THIS:
                ours = installation, questions
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="boxoffice-bench-")))
        record(*ours, folder)
        for name, server in start_peers(stack, ours[0], folder, options.peers):
            cases += cases_of_peer(name, server, *ours)
        yield cases


def start_peers(
    stack: contextlib.ExitStack, installation: Installation, folder: Path, wanted: list[str]
) -> Iterator[tuple[str, Server]]:
    """The servers of other makes, A1 first."""
    commands = {PREPARED: [sys.executable, "-m", "benchmarks.peers", "prepared"]}
    if "naive" in wanted:
        commands["naive Strawberry"] = [sys.executable, "-m", "benchmarks.peers", "naive"]
    if "mercurius" in wanted and shutil.which("npm"):
        commands["Mercurius with JIT"] = ["node", str(install_mercurius() / "server.js")]
    for name, command in commands.items():
        port = free_port()
        environment = {**installation.settings(), "NODE_ENV": "production"}
        yield name, stack.enter_context(serving([*command, str(port), str(folder)], port, environment))


def install_mercurius() -> Path:
    """Mercurius with what its lock file names, installed once under benchmarks/out."""
    folder = OUT / "mercurius"
    folder.mkdir(parents=True, exist_ok=True)
    lock = (MERCURIUS / "package-lock.json").read_bytes()
    installed = folder / "package-lock.json"
    is_current = installed.exists() and installed.read_bytes() == lock and (folder / "node_modules").exists()
    for path in MERCURIUS.iterdir():
        shutil.copy(path, folder)
    if not is_current:
        subprocess.run(["npm", "ci", "--silent", "--no-fund", "--no-audit"], cwd=folder, check=True)
    return folder


def run(cases: list[Case], rounds: int, seconds: float) -> None:
    """One round to warm up, then the rounds that count; servers alternate within each kind of request."""
    ordered = sorted(cases, key=lambda case: case.name)
    for number in range(rounds + 1):
        for case in ordered if number % 2 else reversed(ordered):
            try:
                measured = measure(case.server, case.requests, case.marker, seconds=seconds)
            except LoadError as error:
                raise SystemExit(f"{case.server_name}, {case.name}: {error}") from None
            if number:
                case.rounds.append(measured)


def base_of(case: Case, cases: list[Case]) -> Case:
    """The case of A1 that a case is compared with."""
    candidates = [each for each in cases if each.server_name == PREPARED and case.name.startswith(each.name)]
    return max(candidates, key=lambda each: len(each.name))


def ratios(case: Case, base: Case) -> list[float]:
    """What part of another case's speed a case reaches, round by round, least first."""
    return sorted(b.cpu_us / own.cpu_us for own, b in zip(case.rounds, base.rounds, strict=True))


def report(cases: list[Case]) -> None:
    """The table, and the figures as JSON."""
    table = Table("request", "server", "CPU µs a request", "busy", "of A1", "goal", "CPU of the other build")
    for case in sorted(cases, key=lambda each: each.name):
        others = [each for each in cases if (each.name, each.server_name) == (case.name, OTHER)]
        table.add_row(
            case.name,
            case.server_name,
            spread(sorted(each.cpu_us for each in case.rounds), 1),
            f"{median(each.busy for each in case.rounds):.0%}",
            spread(ratios(case, base_of(case, cases)), 2) if case.server_name != PREPARED else "",
            f">= {GOALS[case.name]}" if case.name in GOALS else "",
            spread(ratios(case, others[0]), 2) if others and case.server_name == THIS else "",
        )
    Console(width=150).print(table)
    OUT.mkdir(exist_ok=True)
    figures = [
        {
            "case": case.name,
            "server": case.server_name,
            "cpu_us": [each.cpu_us for each in case.rounds],
            "requests_a_second": [each.requests_a_second for each in case.rounds],
            "of_a1": ratios(case, base_of(case, cases)),
        }
        for case in cases
    ]
    (OUT / "buyer.json").write_text(json.dumps(figures, indent=1))


def spread(ordered: list[float], digits: int) -> str:
    """The median, the least and the most."""
    return f"{median(ordered):.{digits}f} ({ordered[0]:.{digits}f} to {ordered[-1]:.{digits}f})"


def main() -> None:
    """Measure, and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--against", type=Path, metavar="DIRECTORY", help="another checkout")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=1.0, help="of load, each case and round")
    parser.add_argument("--peers", nargs="*", default=["mercurius", "naive"], help="mercurius, naive")
    parser.add_argument("--unlimited", action="store_true", help="no rate limits: what settings default to")
    options = parser.parse_args()
    with all_cases(options) as cases:
        os.sched_setaffinity(0, {LOAD_CORE})
        run(cases, options.rounds, options.seconds)
    report(cases)


if __name__ == "__main__":
    main()
