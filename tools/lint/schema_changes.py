"""CHANGELOG.md names every change of the schema since the last release, and says which ones break clients.

schema/released.graphql is the last release's schema. graphql-core compares it with schema/schema.graphql;
each change, new descriptions aside, needs an entry under `## [Unreleased]` with its names in backticks, such
as `Event.doorsOpenAt` or `Query.events(first:)`. The entry of a breaking one also has the word **Breaking**.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from graphql import build_schema
from graphql.utilities import BreakingChange, SafeChangeType, SchemaChange, find_schema_changes

from tools.lint.findings import Finding

CHANGELOG = Path("CHANGELOG.md")
RELEASED = Path("schema/released.graphql")
SNAPSHOT = Path("schema/schema.graphql")
UNRELEASED = re.compile(r"^## \[Unreleased\]\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r"^- .*(?:\n(?![-#]).+)*", re.MULTILINE)
NAMED = re.compile(r"`([^`]+)`")
KIND = re.compile(
    r"^(?:Field|Argument|Enum value|(?:A required|An optional) (?:argument|field)|Directive|Standard scalar) "
)
STANDARD = {"Boolean", "Float", "ID", "Int", "String"}
NAME = re.compile(r"@?[A-Za-z_]\w*(?:\.\w+)?(?:\(\w+:\))?")
TWO_NAMES = re.compile(
    r"^(\w+) (?:was added to|was removed from) union type (\w+)\.$"
    r"|^(\w+) added to interfaces implemented by (\w+)\.$"
    r"|^(\w+) no longer implements interface (\w+)\.$"
)


def findings(root: Path) -> Iterator[Finding]:
    """Every change of the schema that the changelog does not name."""
    entries = unreleased_entries((root / CHANGELOG).read_text(encoding="utf-8"))
    released, served = (
        build_schema((root / each).read_text(encoding="utf-8")) for each in (RELEASED, SNAPSHOT)
    )
    for change in find_schema_changes(released, served):
        described = change.type is SafeChangeType.DESCRIPTION_CHANGED or names(change) <= STANDARD
        if not described and not is_named(change, entries):
            yield Finding(CHANGELOG, 1, f"Unreleased does not name this change: {wanted(change)}")


def unreleased_entries(changelog: str) -> list[str]:
    """The list entries under the heading Unreleased."""
    section = UNRELEASED.search(changelog)
    return ENTRY.findall(section.group(1)) if section else []


def is_named(change: SchemaChange, entries: list[str]) -> bool:
    breaking = isinstance(change, BreakingChange)
    return any(
        names(change) <= set(NAMED.findall(entry)) and (not breaking or "**Breaking**" in entry)
        for entry in entries
    )


def names(change: SchemaChange) -> set[str]:
    """The names of what changed, as GraphQL's schema coordinates write them."""
    pair = TWO_NAMES.match(change.description)
    if pair:
        return {name for name in pair.groups() if name}
    found = NAME.match(KIND.sub("", change.description))
    return {found.group()} if found else {change.description}


def wanted(change: SchemaChange) -> str:
    kind = " (**Breaking**)" if isinstance(change, BreakingChange) else ""
    quoted = " and ".join(f"`{name}`" for name in sorted(names(change)))
    return f"{change.description} Name {quoted}{kind}"
