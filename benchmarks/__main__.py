"""`make bench`: the measurements, one after another or by name.

python -m benchmarks             all of them, at sizes that end within some minutes
python -m benchmarks sale        one of them
python -m benchmarks abuse --rounds 9    one of them, with options of its own
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence

# What each runs with, unless options are given: a size that a laptop finishes.
BENCHMARKS: dict[str, tuple[str, list[str]]] = {
    "sale": ("a sale on one core: orders and refusals a second, memory", []),
    "winners": ("the commit of a hold against a bare transaction that inserts the same rows", []),
    "buyer": ("GraphQL over HTTP for a buyer behind a proxy, by CPU a request", []),
    "traces": ("calls and files of five requests, from the bytes to the answer", []),
    "clients": ("Apollo, urql, Relay, graphql-ws, graphql-sse, gql and code generators, as they come", []),
    "documents": ("thousands of drawn documents over HTTP and WebSocket: every one is answered", []),
    "fanout": ("live updates to 2,000 sockets by CPU a delivery, against plain broadcasts", []),
    "search": (
        "indexing, search and lag at 30,000 events; --events 1000000 is the goal",
        ["--events", "30000"],
    ),
    "soak": ("minutes of steady load: what grows; then what an idle installation costs", ["--minutes", "5"]),
    "overload": ("ten times the load that one core serves: served, refused, recovery", []),
    "abuse": ("the attacks of a hostile client, and what the limits cost; --against compares builds", []),
    "pages": ("an arena's page in Chromium: drawn map, frames, memory, bytes over the wire", []),
    "waiting_room": ("the waiting room with a thousand to a million people", []),
    "large": (
        "reads and mutations with many past events and orders; --orders 3000000 is the goal",
        ["--orders", "300000"],
    ),
    "draw_weights": ("the draw with a farm and with a hall behind one network", ["--draws", "20"]),
    "queue_sockets": ("5,000 queuePosition subscriptions on one process", []),
}


def main() -> int:
    """Run the named benchmarks, each in a process of its own; the worst exit status."""
    names, options = parse(sys.argv[1:])
    return max(_run(name, options) for name in names)


def parse(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The benchmarks to run, all where none is named, and the options for the one that is named.

    Raises:
        SystemExit: A name is unknown, or options are given for no benchmark or for several.
    """
    listed = "\n".join(f"  {name:<14}{purpose}" for name, (purpose, _) in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        usage="python -m benchmarks [NAME ...] | NAME OPTION ...",
        description=f"Measurements, never timed tests. NAME --help prints a benchmark's options.\n\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all when none is named")
    first = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
    if words and not first:
        parser.parse_args(words)  # --help ends here
        parser.error("options belong to one benchmark: name it before them")
    names, options = list(words[:first] or BENCHMARKS), list(words[first:])
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    if options and len(names) > 1:
        parser.error("options belong to one benchmark: name it alone")
    return names, options


def _run(name: str, options: Sequence[str]) -> int:
    purpose, usual = BENCHMARKS[name]
    arguments = options or usual
    print(f"== {name}: {purpose}", flush=True)
    return subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
