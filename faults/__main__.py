"""`make faults`: injects faults into a running installation and checks it; exit status 1 for a violation.

python -m faults                                  every fault, for eight minutes
python -m faults --minutes 1 --faults kill-redis,flush-redis --seed 7
python -m faults --cluster --minutes 20           the same with many nodes, which fail one after another
python -m faults --stops 200                      stop processes under load: each has to end in time
python -m faults --controls                       remove one guard after another: the checker must notice each
"""

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from rich.console import Console

from commands.output import line, progress_shown
from faults import report
from faults.campaign import Plan, Result, run
from faults.catalogue import FAULTS, Fault
from faults.cluster.catalogue import CLUSTER_FAULTS
from faults.guards import GUARDS
from faults.recovery import measure
from faults.stops import STOPPABLE
from faults.stops import measure as measure_stops

EXIT_VIOLATED = 1
EXIT_STOPPED = 130
LONGEST_RECOVERY_SECONDS = 30.0


def main() -> int:
    """Runs the command line."""
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))  # as for Ctrl-C: stop all processes
    faults = CLUSTER_FAULTS if arguments.cluster else FAULTS
    if arguments.list:
        for fault in faults.values():
            line(f"{fault.name:24}{fault.what}")
        return 0
    directory = Path(arguments.out or tempfile.mkdtemp(prefix="boxoffice-faults-"))
    directory.mkdir(parents=True, exist_ok=True)
    seed = random.randrange(10**6) if arguments.seed is None else arguments.seed
    if arguments.recovery:
        taken = asyncio.run(measure(directory, line, seed))
        shutil.rmtree(directory / "data", ignore_errors=True)
        return EXIT_VIOLATED if max(taken.values()) > LONGEST_RECOVERY_SECONDS else 0
    if arguments.stops:
        return _stops(arguments.stops, directory, seed)
    if arguments.controls is not None:
        return _controls(arguments.controls, directory, seed)
    plan = Plan(
        seed,
        arguments.minutes,
        _known(arguments.faults or (), faults),
        buyers=arguments.buyers,
        cluster=arguments.cluster,
    )
    result = attack(plan, directory)
    report.show(result, Console())
    line(f"history and report: {directory}")
    if not result.violations:
        shutil.rmtree(directory / "data", ignore_errors=True)
    return EXIT_VIOLATED if result.violations else 0


def attack(plan: Plan, directory: Path) -> Result:
    """Runs one campaign with a progress bar; writes its report to `directory`."""
    with progress_shown() as progress:
        result = asyncio.run(run(plan, directory, progress, line))
    report.save(result, directory)
    return result


def _stops(count: int, directory: Path, seed: int) -> int:
    """Stops processes under load and faults, and prints how long each kind took."""
    with progress_shown() as progress:
        stops = asyncio.run(measure_stops(directory, count, progress, line, seed))
    for part in STOPPABLE:
        taken = sorted(stop.seconds for stop in stops if stop.part == part)
        if taken:
            line(f"{part:8}{len(taken):4} stops, median {median(taken):.2f} s, longest {taken[-1]:.2f} s")
    late = [stop for stop in stops if stop.is_late]
    line(f"{len(stops)} stops, {len(late)} late")
    shutil.rmtree(directory / "data", ignore_errors=True)
    return EXIT_VIOLATED if late else 0


def _controls(wanted: list[str], directory: Path, seed: int) -> int:
    """Removes one guard after another; a violation that the checker misses is a defect of the checker."""
    missed = []
    for name in wanted or list(GUARDS):
        guard = GUARDS[name]
        line(f"== without {name}: {guard.what}")
        home = directory / name
        home.mkdir(exist_ok=True)
        plan = Plan(
            seed,
            1.5,
            guard.faults * guard.rounds,
            buyers=8,
            watchers=2,
            waiting=guard.waiting,
            workers=1,
            without=name,
            rounds=len(guard.faults) * guard.rounds,
            settle_seconds=guard.settle_seconds,
            expiry_seconds=3.0,
        )
        result = attack(plan, home)
        shutil.rmtree(home / "data", ignore_errors=True)
        caught = [one for one in result.violations if one.invariant in guard.invariants]
        line(f"   {'caught: ' + caught[0].text if caught else 'NOT CAUGHT'}")
        if not caught:
            missed.append(name)
    line(f"{len(missed)} not caught{': ' + ', '.join(missed) if missed else ''}")
    return EXIT_VIOLATED if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=8.0, help="the duration (8)")
    parser.add_argument("--seed", type=int, help="the seed of the buyers, the faults and their order")
    parser.add_argument(
        "--faults",
        type=lambda text: text.split(","),
        metavar="A,B",
        help="only these faults; --list prints them",
    )
    parser.add_argument(
        "--cluster", action="store_true", help="an installation of many nodes, and the faults of its nodes"
    )
    parser.add_argument("--buyers", type=int, default=12, help="the number of concurrent buyers (12)")
    parser.add_argument("--out", metavar="DIR", help="the folder of history, logs and report")
    parser.add_argument("--controls", nargs="*", choices=list(GUARDS), metavar="GUARD", help="control runs")
    parser.add_argument(
        "--recovery",
        action="store_true",
        help="measure the recovery time after a killed worker, for each kind of work",
    )
    parser.add_argument("--stops", type=int, default=0, metavar="N", help="stop processes N times under load")
    parser.add_argument("--list", action="store_true", help="print the faults")
    return parser


def _known(names: Sequence[str], faults: Mapping[str, Fault]) -> tuple[str, ...]:
    """The names of faults; the command ends where there is no such fault."""
    unknown = [name for name in names if name not in faults]
    if unknown:
        raise SystemExit(f"there is no fault {unknown[0]!r}; --list prints them")
    return tuple(names)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(EXIT_STOPPED)  # before the audit, so the invariants are unknown
