"""The attacks of a hostile client, and what the limits cost: this build and, with --against, another.

    python -m benchmarks.abuse [--against DIRECTORY] [--only NAME ...] [--rounds 5] [--patience 300]

Each build is started from its checkout with development's settings and X-Forwarded-For trusted;
MAX_HELD_PER_NETWORK has its default. The attacks run against one build after the other. Orders and refusals a
second are measured last, with both builds running and taking turns round by round: one core for the servers,
one for the load. The machine is rarely quiet, so compare the ratios, each of one round.
"""

import argparse
import asyncio
import contextlib
import os
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import abuse_search, attacks, hostile_sockets
from benchmarks.installation import LOAD_CORE, ROOT, Installation, open_installation
from benchmarks.sale import BUYERS, PLACES, buyers, refuse, sell

SETTINGS = {"BOXOFFICE_TRUSTED_PROXIES": "127.0.0.1"}
SEARCH, COST = "search", "cost"
# A sale of PLACES gives a buyer two or three tickets; the refused holds of 4 have to fit in the limit.
TICKETS_AN_ORDER = 50

Attack = Callable[[Installation], Coroutine[Any, Any, object]]


def attacks_of(patience: float) -> dict[str, tuple[str, Attack]]:
    """Every attack by name, with what its figure is."""

    async def free_event(installation: Installation) -> object:
        return await attacks.one_person(installation, free=True)

    async def absent(installation: Installation) -> object:
        return await attacks.behind_absent(installation, patience)

    async def sent(installation: Installation) -> object:
        return f"{await hostile_sockets.bytes_to_one(installation) / 1e6:.2f} MB"

    return {
        "person": ("held by one guest session", attacks.one_person),
        "admission": ("held with one admission of the waiting room", attacks.one_admission),
        "free": ("booked by one guest session, free event", free_event),
        "network": (f"held by {attacks.NETWORK_GUESTS} guests of one address", attacks.one_network),
        "mapped": (f"IPv4 buyer after {attacks.MAPPED_JOINERS} in mapped form", attacks.mapped_joiners),
        "ids": ("memory: 3 sockets, 100 operations, ids of 900 kB", hostile_sockets.large_ids),
        "sockets": ("memory: 1,000 sockets, connection_init of 100 kB", hostile_sockets.many_sockets),
        "sent": ("sent to one socket for one held ticket", sent),
        "absent": (f"honest joiner's wait behind {attacks.ABSENT_JOINERS:,} absent ones", absent),
    }


def attack(tree: Path, chosen: dict[str, tuple[str, Attack]]) -> list[str]:
    """The figures of one build, in the order of the attacks."""
    if not chosen:
        return []
    with open_installation(tree=tree, settings=SETTINGS) as installation:
        return [str(asyncio.run(measure(installation))) for _, measure in chosen.values()]


def searcher(tree: Path) -> str:
    """The honest searcher of one build, alone and beside hostile clients."""
    alone, beside = abuse_search.measure(tree)
    return f"{alone.p99_ms:.0f} ms, {beside.p99_ms:.0f} ms, {beside.from_index:.0%} from the index"


def cost(trees: Sequence[Path], rounds: int) -> list[tuple[str, list[str]]]:
    """Orders and refusals a second of every build, taking turns; the first round of each only warms up."""
    began = os.getloadavg()[0]
    orders: list[list[float]] = [[] for _ in trees]
    refusals: list[list[float]] = [[] for _ in trees]
    with contextlib.ExitStack() as stack:
        installations = [
            stack.enter_context(open_installation(tree=tree, settings=SETTINGS)) for tree in trees
        ]
        for number in range(rounds + 1):
            for index, installation in enumerate(installations):
                sold, refused = asyncio.run(one_round(installation))
                if number:
                    orders[index].append(sold)
                    refusals[index].append(refused)
    rows = []
    for what, rates in (("orders", orders), ("refusals at a sold-out section", refusals)):
        rows.append((f"{what} a second", [_spread(found, ",.0f") for found in rates]))
        if len(rates) > 1:
            ratios = [this / other for other, this in zip(*rates, strict=True)]
            rows.append((f"{what}: this build / other build, by round", ["", _spread(ratios, ".2f")]))
    busy = ", ".join(f"{load:.1f}" for load in (began, os.getloadavg()[0]))
    return [*rows, ("load average of the machine, before and after", [busy])]


def _spread(values: Sequence[float], form: str) -> str:
    """The median, with the least and the most behind it."""
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


async def one_round(installation: Installation) -> tuple[float, float]:
    """Orders a second until an event is sold out, then refusals a second."""
    event = attacks.make_event(installation, PLACES, maxTicketsPerOrder=TICKETS_AN_ORDER)
    async with buyers(installation, BUYERS) as clients:
        seconds, answers = await sell(clients, event)
        assert answers["ReserveSuccess"] == PLACES, answers
        return PLACES / seconds, await refuse(clients, event)


def main() -> None:
    """Run the attacks, then the sales, and print one table."""
    options = parse()
    os.sched_setaffinity(0, {LOAD_CORE})
    trees = [*([options.against.resolve()] if options.against else []), ROOT]
    chosen = {
        name: found
        for name, found in attacks_of(options.patience).items()
        if not options.only or name in options.only
    }
    columns = [attack(tree, chosen) for tree in trees]
    rows = [
        (label, [column[index] for column in columns]) for index, (label, _) in enumerate(chosen.values())
    ]
    if not options.only or SEARCH in options.only:
        label = f"honest searcher's p99: alone, beside {abuse_search.HOSTILE_CLIENTS} hostile clients"
        rows.append((label, [searcher(tree) for tree in trees]))
    if not options.only or COST in options.only:
        rows += cost(trees, options.rounds)
    table = Table("what", *(["other build"] if options.against else []), "this build", title="Abuse")
    for label, figures in rows:
        table.add_row(label, *figures)
    Console(width=150).print(table)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [*attacks_of(0), SEARCH, COST]
    parser.add_argument("--against", type=Path, help="a checkout with a .venv of its own")
    parser.add_argument("--only", nargs="*", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=5, help="of the sale (5)")
    parser.add_argument(
        "--patience", type=float, default=300.0, help="of the honest joiner, in seconds (300)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
