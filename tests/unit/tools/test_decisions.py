"""Status, date and index of the decisions."""

from pathlib import Path

import pytest

from tests.unit.tools.planting import plant
from tools.lint.decisions import findings

GOOD = "# A\n\nStatus: accepted\nDate: 2026-11-23\n"
INDEX = "| [A](a.md) | accepted | 2026-11-23 | why |\n"


@pytest.mark.parametrize(
    ("page", "index", "messages"),
    [
        (GOOD, INDEX, []),
        (GOOD.replace("accepted", "superseded by [B](b.md)"), INDEX.replace("accepted", "superseded"), []),
        (
            GOOD.replace("Status: ", "State: "),
            INDEX,
            ["no line `Status: accepted`, proposed, rejected or superseded"],
        ),
        (
            GOOD.replace("accepted", "decided"),
            INDEX,
            ["no line `Status: accepted`, proposed, rejected or superseded"],
        ),
        (GOOD.replace("2026-11-23", "November"), INDEX, ["no line `Date: YYYY-MM-DD`"]),
        (GOOD, "", ["not in the index, docs/adr/README.md"]),
        (GOOD, INDEX.replace("accepted", "proposed"), ["the index says proposed 2026-11-23"]),
        (GOOD, INDEX + INDEX.replace("a.md", "b.md"), ["b.md is in the index and not in the folder"]),
    ],
)
def test_fault_is_found_when_page_or_index_lacks_something(
    tmp_path: Path, page: str, index: str, messages: list[str]
) -> None:
    plant(tmp_path, {"docs/adr/a.md": page, "docs/adr/README.md": index})

    assert [each.message for each in findings(tmp_path)] == messages
