"""Private words, and names that only contain one."""

from pathlib import Path

import pytest

from tests.unit.tools.planting import plant
from tools.lint.words import findings


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("class OrderDesk:", "'Desk' is a private word; write writer, or page"),
        ("# The office knows", "'office' is a private word; write context"),
        ("turned_away = 1", "'turned_away' is a private word; write refuse"),
        (
            '"""Whoever comes first."""',
            "'Whoever' is a private word; write the noun: a client, a process, a buyer",
        ),
        ("async def short_way():", "'short_way' is a private word; write fast path"),
    ],
)
def test_word_is_found_when_a_line_has_it(tmp_path: Path, line: str, message: str) -> None:
    plant(tmp_path, {"kit/a.py": f"\n{line}\n"})

    assert [str(each) for each in findings(tmp_path)] == [f"kit/a.py:2: {message}"]


def test_nothing_is_found_when_a_word_only_contains_one(tmp_path: Path) -> None:
    plant(
        tmp_path, {"kit/a.py": "# box office, BOX_OFFICE, officers, the desktop, manner-less as mannerless\n"}
    )

    assert [str(each) for each in findings(tmp_path)] == [
        "kit/a.py:1: 'manner' is a private word; write preferences"
    ]


def test_nothing_is_found_when_the_page_is_a_superseded_decision_or_the_sdl(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {"docs/adr/a.md": "Status: superseded\n\nThe office.\n", "schema/schema.graphql": "# desk\n"},
    )

    assert list(findings(tmp_path)) == []
