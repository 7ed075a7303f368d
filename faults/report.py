"""The report of a campaign: tables and report.json."""

import json
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from faults.campaign import Injection, Result
from faults.violations import INVARIANTS


def show(result: Result, console: Console) -> None:
    """Prints the tables of faults, figures and violations."""
    console.print(_faults_table(result.injections))
    console.print(_figures_table(result))
    if result.violations:
        console.print(_violations_table(result))
    else:
        console.print("[green]no invariant was violated[/green]")


def _faults_table(injections: list[Injection]) -> Table:
    table = Table(title="Faults")
    for name in ("fault", "description"):
        table.add_column(name)
    for name in ("times", "longest to settle (s)", "longest without holds (s)", "elsewhere (s)"):
        table.add_column(name, justify="right")
    for name, of_name in sorted(_by_name(injections).items()):
        settled = [one.settled for one in of_name]
        slowest = "never" if None in settled else f"{max(s for s in settled if s is not None):.1f}"
        longest = f"{max(one.unavailable_struck for one in of_name):.1f}"
        elsewhere = f"{max(one.unavailable for one in of_name):.1f}"
        table.add_row(name, of_name[0].what, str(len(of_name)), slowest, longest, elsewhere)
    return table


def _by_name(injections: list[Injection]) -> dict[str, list[Injection]]:
    found: dict[str, list[Injection]] = defaultdict(list)
    for one in injections:
        found[one.name].append(one)
    return found


def _figures_table(result: Result) -> Table:
    table = Table(title=f"Seed {result.plan.seed}, {result.seconds:.0f} s", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in figures(result).items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else f"{value:.1f}")
    return table


def figures(result: Result) -> dict[str, float]:
    """The figures of a report by name."""
    settled = [one.settled for one in result.injections if one.settled is not None]
    return {
        "faults injected": len(result.injections),
        "calls made": result.counts.calls,
        "calls with an unknown outcome": result.counts.unknown,
        "updates received by watchers": result.updates,
        "acknowledged bookings": result.counts.bookings,
        "lost bookings": result.counts.lost,
        "double bookings": result.counts.doubled,
        "captured but unbooked after settling": result.unbooked,
        "longest time to settle (s)": max(settled, default=0.0),
        "longest time without holds (s)": max(
            (one.unavailable_struck for one in result.injections), default=0.0
        ),
        "longest time without holds of another event (s)": max(
            (one.unavailable for one in result.injections), default=0.0
        ),
        "violations": len(result.violations),
    }


def _violations_table(result: Result) -> Table:
    table = Table(title="Violations", style="red")
    table.add_column("invariant")
    table.add_column("observation")
    for one in result.violations[:60]:
        name = INVARIANTS.get(one.invariant, "a defect whichever part fails")
        table.add_row(f"{one.invariant}: {name}", one.text)
    return table


def save(result: Result, directory: Path) -> Path:
    """Writes report.json beside the history."""
    document: dict[str, Any] = {
        "plan": asdict(result.plan),
        "figures": figures(result),
        "faults": [asdict(one) for one in result.injections],
        "violations": [asdict(one) for one in result.violations],
    }
    path = directory / "report.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path
