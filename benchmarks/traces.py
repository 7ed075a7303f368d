"""Call traces of five requests in a running server: calls of our own functions, files, and what comes first.

    python -m benchmarks traces [--tree DIRECTORY ...] [--show TRACE]

The server is one API process on the real stores, under a profiler (benchmarks/trace_probe.py). A request
comes as from a buyer behind a proxy who has asked before. Counted are calls of the checkout's own functions
from the bytes' arrival to the last write of the answer, without resumptions after an await; for the seat
update, from the message that a seat has changed to the write to the subscriber. "Before the domain" are the
calls before the first one of `domain/` or of a service that is about the request's subject: tokens, rate
limits and ids are not. Each figure is the median of eleven requests, with the least and the most.
"""

import argparse
import json
import os
import re
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.installation import ROOT, Installation, environment_of, open_installation, python_of
from benchmarks.sample_events import (
    ON_SALE_SINCE,
    ORGANISER,
    RESERVE,
    SEATS,
    ask,
    create_event,
    numbered_seats,
    standing,
)
from devservices.ports import free_port
from domain.ids import Kind, parse_id

PROBE = Path(__file__).parent / "trace_probe.py"
STEPS, WARMING = 15, 4
PROBE_SECONDS = 120
DOMAIN = re.compile(r"(domain|services)/")
NO_SUBJECT = re.compile(
    r"domain/(viewer|errors|ids|text_input)\.py|services/(identity/|context|tokens|allowances|measuring|context)"
)
PAY = """
mutation Pay($input: PayInput!) {
  pay(input: $input) {
    __typename
    ... on PaySuccess { order { id status payment { status } } }
    ... on UserError { code message }
  }
}
"""
JOIN = """
mutation Join($input: JoinQueueInput!) {
  joinQueue(input: $input) {
    __typename
    ... on JoinQueueSuccess { entry { id state position ahead etaSeconds } }
    ... on UserError { code message }
  }
}
"""
CONFIGURE = """
mutation Configure($input: ConfigureWaitingRoomInput!) {
  configureWaitingRoom(input: $input) { __typename }
}
"""
SEARCH = """
query Search($input: SearchEventsInput!) {
  searchEvents(input: $input) {
    events { id name startsAt venue { name city } priceFrom { amount currency } }
    total source
  }
}
"""

Call = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Trace:
    """The calls of one request, in order: file and function."""

    calls: list[Call]

    @property
    def files(self) -> int:
        """How many files they are in."""
        return len({path for path, _ in self.calls})

    @property
    def before_domain(self) -> int:
        """How many come before the first that is about the request's subject; all, where none is."""
        for number, (path, _) in enumerate(self.calls):
            if DOMAIN.match(path) and not NO_SUBJECT.match(path):
                return number
        return len(self.calls)


def request_of(query: str, variables: dict[str, Any], token: str, number: int) -> str:
    """A POST as a proxy sends it on."""
    body = json.dumps({"query": query, "variables": variables})
    return (
        f"POST /graphql HTTP/1.1\r\nhost: tickets.example\r\nx-request-id: {number:032x}\r\n"
        f"x-forwarded-for: 203.0.113.{number % 250 + 1}\r\nx-forwarded-proto: https\r\n"
        f"authorization: Bearer {token}\r\naccept: application/graphql-response+json, application/json\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body.encode())}\r\n\r\n{body}"
    )


class Plan:
    """What the probe sends, made on an installation: each step another buyer, seat and key."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._event = create_event(installation, onSaleAt=ON_SALE_SINCE, **numbered_seats(500))
        queue = create_event(installation, onSaleAt=ON_SALE_SINCE, generalAdmission=[standing(5_000)])
        opening = {"eventId": queue["id"], "enabled": True, "admitPerMinute": 1, "maxActive": 1}
        ask(installation, CONFIGURE, {"input": opening}, installation.token(ORGANISER, "organise"))
        self._queue_id = queue["id"]
        self._pairs = iter(zip(*[iter(self._event["seatMap"]["sections"][0]["seats"])] * 2, strict=True))

    def as_dict(self) -> dict[str, Any]:
        """As the probe reads it."""
        steps = {"reserve": self._reserve, "pay": self._pay, "joinQueue": self._join, "search": self._search}
        http = {name: [step(number) for number in range(STEPS)] for name, step in steps.items()}
        event_id = self._event["id"]
        subscribe = {"query": SEATS, "variables": {"id": event_id}}
        greeting = [{"type": "connection_init"}, {"id": "1", "type": "subscribe", "payload": subscribe}]
        seat_update = {
            "name": "seat update",
            "greeting": [json.dumps(message) for message in greeting],
            "begins": f"{{{parse_id(event_id, Kind.EVENT)}}}:changed",
            "other_port": self._installation.port,
            "steps": [self._reserve(100 + number) for number in range(STEPS)],
        }
        return {"http": http, "socket": seat_update}

    def _step(self, query: str, variables: dict[str, Any], number: int, marker: str) -> dict[str, str]:
        token = self._installation.token(f"buyer-{number}")
        return {
            "sign_in": request_of("{ me { id } }", {}, token, number),
            "request": request_of(query, variables, token, number),
            "marker": marker,
        }

    def _hold(self, number: int) -> dict[str, Any]:
        selection = {"seatIds": [seat["id"] for seat in next(self._pairs)]}
        return {"eventId": self._event["id"], "selection": selection, "idempotencyKey": f"trace-{number}"}

    def _reserve(self, number: int) -> dict[str, str]:
        return self._step(RESERVE, {"input": self._hold(number)}, number, "ReserveSuccess")

    def _pay(self, number: int) -> dict[str, str]:
        number += 200
        token = self._installation.token(f"buyer-{number}")
        order = ask(self._installation, RESERVE, {"input": self._hold(number)}, token)["reserve"]["order"]
        given = {"orderId": order["id"], "paymentMethodId": "pm_card_visa", "idempotencyKey": f"pay-{number}"}
        return self._step(PAY, {"input": given}, number, "PaySuccess")

    def _join(self, number: int) -> dict[str, str]:
        return self._step(JOIN, {"input": {"eventId": self._queue_id}}, 300 + number, "JoinQueueSuccess")

    def _search(self, number: int) -> dict[str, str]:
        wanted = {"keyword": "benchmark night", "pageSize": 20 + number}
        return self._step(SEARCH, {"input": wanted}, 400 + number, '"source":')


def traces_of(tree: Path) -> dict[str, list[Trace]]:
    """Every trace of a checkout, the steps that warm up left out."""
    with (
        open_installation(tree=tree, settings={"BOXOFFICE_TRUSTED_PROXIES": "127.0.0.1"}) as installation,
        tempfile.TemporaryDirectory(prefix="boxoffice-trace-") as directory,
    ):
        plan, result = Path(directory) / "plan.json", Path(directory) / "result.json"
        plan.write_text(json.dumps(Plan(installation).as_dict()))
        settings = {**installation.settings(), "BOXOFFICE_PORT": str(free_port())}
        subprocess.run(
            [python_of(tree), str(PROBE), str(tree), str(plan), str(result)],
            cwd=directory,
            env={
                **environment_of(tree),
                **settings,
                "BOXOFFICE_PROCESS_NAME": "traced",
                "BOXOFFICE_LOG_LEVEL": "WARNING",
            },
            timeout=PROBE_SECONDS,
            check=False,  # it ends by SIGTERM
        )
        found = json.loads(result.read_text())
    return {
        name: [Trace([(path, function) for path, function in step]) for step in steps[WARMING:]]
        for name, steps in found.items()
    }


def report(tree: Path, found: dict[str, list[Trace]]) -> None:
    """The table of one checkout."""
    table = Table(
        "request", "calls", "files", "before the domain", "share", "calls by folder", title=str(tree)
    )
    for name, traces in found.items():
        typical = sorted(traces, key=lambda trace: len(trace.calls))[len(traces) // 2]
        share = median(trace.before_domain / len(trace.calls) for trace in traces)
        folders = Counter(path.partition("/")[0] for path, _ in typical.calls).most_common(8)
        table.add_row(
            name,
            spread([len(trace.calls) for trace in traces]),
            spread([trace.files for trace in traces]),
            spread([trace.before_domain for trace in traces]),
            f"{share:.0%}",
            ", ".join(f"{folder} {number}" for folder, number in folders),
        )
    Console(width=150).print(table)


def spread(values: list[int]) -> str:
    """The median, and the least and the most where they differ."""
    middle, least, most = round(median(values)), min(values), max(values)
    return f"{middle}" if least == most else f"{middle} ({least} to {most})"


def main() -> None:
    """Trace, and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tree", type=Path, nargs="*", default=[ROOT], help="checkouts (this one)")
    parser.add_argument("--show", metavar="TRACE", help="print the calls of one, such as reserve")
    options = parser.parse_args()
    os.environ.pop("PYTHONPATH", None)
    for tree in options.tree:
        found = traces_of(tree.resolve())
        if options.show:
            for path, function in found[options.show][-1].calls:
                print(f"{path} {function}")
        report(tree, found)


if __name__ == "__main__":
    main()
