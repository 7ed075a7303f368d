"""Runs the house rules: python -m tools.lint [RULE ...]. Exit status 1 when one is violated."""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tools.lint import dead_code, decisions, doc_paths, lengths, lua_headers, schema_changes, words
from tools.lint.findings import Finding

ROOT = Path(__file__).resolve().parents[2]
Rule = Callable[[Path], Iterable[Finding]]
RULES: dict[str, Rule] = {
    "lengths": lengths.findings,
    "lua-headers": lua_headers.findings,
    "dead-code": dead_code.findings,
    "doc-paths": doc_paths.findings,
    "decisions": decisions.findings,
    "schema-changes": schema_changes.findings,
    "words": words.findings,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Prints every violation of the rules that are named, or of all."""
    parser = argparse.ArgumentParser(prog="python -m tools.lint", description=__doc__)
    parser.add_argument("rules", nargs="*", metavar="RULE", help=f"one of {', '.join(RULES)}")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder to read")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.rules) - RULES.keys():
        parser.error(f"unknown rule {', '.join(sorted(unknown))}; there are {', '.join(RULES)}")
    began = time.monotonic()
    found = [str(each) for name in arguments.rules or RULES for each in sorted(RULES[name](arguments.root))]
    print("\n".join([*found, summary(len(found), time.monotonic() - began)]))
    return 1 if found else 0


def summary(count: int, seconds: float) -> str:
    kept = "All house rules are kept" if count == 0 else f"{count} violations of the house rules"
    return f"{kept} ({seconds:.1f} s)"


if __name__ == "__main__":
    sys.exit(main())
