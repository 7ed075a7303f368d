"""What a campaign prints and keeps."""

import json
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from faults.campaign import Result, Struck
from faults.catalogue import FAULTS
from faults.verdicts import INVARIANTS


def show(result: Result, console: Console) -> None:
    """The tables: each fault, the figures, and what was violated."""
    console.print(_faults_table(result.struck))
    console.print(_figures_table(result))
    if result.violations:
        console.print(_violations_table(result))
    else:
        console.print("[green]no invariant was violated[/green]")


def _faults_table(struck: list[Struck]) -> Table:
    table = Table(title="Faults")
    for name in ("fault", "what", "times", "longest to settle (s)", "longest without holds (s)"):
        table.add_column(name, justify="left" if name in ("fault", "what") else "right")
    for name, of_name in sorted(_by_name(struck).items()):
        settled = [one.settled for one in of_name]
        slowest = "never" if None in settled else f"{max(s for s in settled if s is not None):.1f}"
        longest = max(one.unavailable for one in of_name)
        table.add_row(name, FAULTS[name].what, str(len(of_name)), slowest, f"{longest:.1f}")
    return table


def _by_name(struck: list[Struck]) -> dict[str, list[Struck]]:
    found: dict[str, list[Struck]] = defaultdict(list)
    for one in struck:
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
    """The figures of a report, by their names."""
    settled = [one.settled for one in result.struck if one.settled is not None]
    return {
        "faults injected": len(result.struck),
        "calls made": result.counts.calls,
        "calls whose outcome stayed unknown to that call": result.counts.unknown,
        "updates that watchers were told": result.updates,
        "acknowledged bookings": result.counts.bookings,
        "lost bookings": result.counts.lost,
        "double bookings": result.counts.doubled,
        "captured but unbooked after settling": result.unbooked,
        "longest time to settle (s)": max(settled, default=0.0),
        "longest time without holds (s)": max((one.unavailable for one in result.struck), default=0.0),
        "violations": len(result.violations),
    }


def _violations_table(result: Result) -> Table:
    table = Table(title="Violations", style="red")
    table.add_column("invariant")
    table.add_column("what was seen")
    for one in result.violations[:60]:
        name = INVARIANTS.get(one.invariant, "never right, whatever fails")
        table.add_row(f"{one.invariant}: {name}", one.text)
    return table


def save(result: Result, directory: Path) -> Path:
    """Write report.json beside the history."""
    document: dict[str, Any] = {
        "plan": asdict(result.plan),
        "figures": figures(result),
        "faults": [asdict(one) for one in result.struck],
        "violations": [asdict(one) for one in result.violations],
    }
    path = directory / "report.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path
