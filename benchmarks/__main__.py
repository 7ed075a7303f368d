"""`make bench`: the measurements, one after another or by name.

python -m benchmarks             all of them, at sizes that end within some minutes
python -m benchmarks sale        one of them
"""

import argparse
import subprocess
import sys

# What each runs with: a size that a laptop finishes; `python -m benchmarks.NAME --help` has larger ones.
BENCHMARKS: dict[str, tuple[str, list[str]]] = {
    "sale": ("a sale on one core: orders and refusals a second, memory", []),
    "winners": ("the commit of a hold against a bare transaction that inserts the same rows", []),
    "buyer": ("GraphQL over HTTP for a buyer behind a proxy, by CPU a request", []),
    "traces": ("calls and files of five requests, from the bytes to the answer", []),
    "fanout": ("live updates to 2,000 sockets by CPU a delivery, against plain broadcasts", []),
    "search": (
        "indexing, search and lag at 30,000 events; --events 1000000 is the goal",
        ["--events", "30000"],
    ),
    "overload": ("ten times the load that one core serves: served, refused, recovery", []),
    "abuse": ("the attacks of a hostile client, and what the limits cost; --against compares builds", []),
    "pages": ("an arena's page in Chromium: drawn map, frames, memory, bytes over the wire", []),
    "waiting_room": ("the waiting room with a thousand to a million people", []),
    "draw_weights": ("the draw with a farm and with a hall behind one network", ["--draws", "20"]),
    "queue_sockets": ("5,000 queuePosition subscriptions on one process", []),
}


def main() -> int:
    """Run the named benchmarks, each in a process of its own; the worst exit status."""
    listed = "\n".join(f"  {name:<14}{purpose}" for name, (purpose, _) in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"Measurements, never timed tests.\n\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all when none is named")
    names = parser.parse_args().names or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    return max(_run(name) for name in names)


def _run(name: str) -> int:
    purpose, arguments = BENCHMARKS[name]
    print(f"== {name}: {purpose}", flush=True)
    return subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
