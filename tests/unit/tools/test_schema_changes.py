"""The changelog against the difference of two schemas."""

from pathlib import Path

import pytest

from tests.unit.tools.planting import plant
from tools.lint.schema_changes import findings

RELEASED = """
type Query { events(city: String): [Event!]! old: Int }
type Event { id: ID! }
type Sold { id: ID! }
union Found = Event
interface Node { id: ID! }
enum Status { DRAFT }
input Filter { city: String }
"""
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n{}\n\n## [0.1.0] - 2026-12-01\n\n- `Event.name`\n"


def unnamed(root: Path, served: str, entries: str = "") -> list[str]:
    files = {"schema/released.graphql": RELEASED, "schema/schema.graphql": served}
    plant(root, {**files, "CHANGELOG.md": CHANGELOG.format(entries)})
    return [each.message.partition(": ")[2] for each in findings(root)]


CHANGES = [
    ("type Event { id: ID! }", "type Event { id: ID! name: String }", "`Event.name`", ""),
    ("events(city: String)", "events(city: String, first: Int)", "`Query.events(first:)`", ""),
    ("{ DRAFT }", "{ DRAFT ON_SALE }", "`Status.ON_SALE`", ""),
    ("= Event", "= Event | Sold", "`Found` and `Sold`", ""),
    ("type Sold", "type Sold implements Node", "`Node` and `Sold`", ""),
    ("interface Node", "type New { id: ID! }\ninterface Node", "`New`", ""),
    ("Filter { city: String", "Filter { city: String genre: String", "`Filter.genre`", ""),
    (" old: Int", "", "`Query.old`", " (**Breaking**)"),
    ("city: String)", "city: String!)", "`Query.events(city:)`", " (**Breaking**)"),
    ("type Event { id: ID! }", "type Event { id: ID }", "`Event.id`", " (**Breaking**)"),
]


@pytest.mark.parametrize(("before", "after", "named", "breaking"), CHANGES)
def test_change_is_found_when_unreleased_does_not_name_it(
    tmp_path: Path, before: str, after: str, named: str, breaking: str
) -> None:
    found = unnamed(tmp_path, RELEASED.replace(before, after))

    assert len(found) == 1
    assert found[0].endswith(f" Name {named}{breaking}")


@pytest.mark.parametrize(("before", "after", "named", "breaking"), CHANGES)
def test_nothing_is_found_when_an_entry_names_it(
    tmp_path: Path, before: str, after: str, named: str, breaking: str
) -> None:
    entry = f"- **Breaking**: a sentence\n  about {named}." if breaking else f"- A sentence about {named}."

    assert unnamed(tmp_path, RELEASED.replace(before, after), entry) == []


def test_breaking_change_is_found_when_its_entry_does_not_say_so(tmp_path: Path) -> None:
    found = unnamed(tmp_path, RELEASED.replace(" old: Int", ""), "- `Query.old` is gone.")

    assert found == ["Field Query.old was removed. Name `Query.old` (**Breaking**)"]


def test_nothing_is_found_when_only_descriptions_differ(tmp_path: Path) -> None:
    assert unnamed(tmp_path, RELEASED.replace("type Sold", '"What is sold"\ntype Sold')) == []
