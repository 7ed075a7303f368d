"""Paths and links of the pages."""

from pathlib import Path

import pytest

from tests.unit.tools.planting import plant
from tools.lint.doc_paths import findings

TREE = {
    "kit/clock.py": "",
    "db/sql/a.sql": "",
    "docs/limits.md": "# Limits & clocks: `x`\n\n```sh\n# not one\n```\n",
}


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("see `kit/clocks.py`", "`kit/clocks.py` does not exist"),
        ("see `kit/lua/*.lua`", "`kit/lua/*.lua` does not exist"),
        ("see `kit/NAME.lua`", "`kit/NAME.lua` does not exist"),
        ("see `gone.sql`", "`gone.sql` does not exist"),
        ("[limits](limit.md)", "the link limit.md leads nowhere"),
        ("![a picture](images/a.png)", "the link images/a.png leads nowhere"),
        ("[rates](limits.md#rates)", "limits.md#rates: that page has no such heading"),
        ("[rates](limits.md#not-one)", "limits.md#not-one: that page has no such heading"),
    ],
)
def test_path_is_found_when_a_page_names_what_is_not_there(
    tmp_path: Path, sentence: str, message: str
) -> None:
    plant(tmp_path, {**TREE, "docs/page.md": f"# Page\n{sentence}\n"})

    assert [str(each) for each in findings(tmp_path)] == [f"docs/page.md:2: {message}"]


def test_nothing_is_found_when_everything_named_is_there(tmp_path: Path) -> None:
    named = (
        "`kit/clock.py` `clock.py` `a.sql` `db/` `db/sql/*.sql` `kit/NAME.py` `/graphql` `application/json` "
        "`run/settings.json` [limits](docs/limits.md#limits--clocks-x) "
        "[elsewhere](https://example.com/a.md) [here](#page)"
    )
    plant(tmp_path, {**TREE, "README.md": f"# Page\n{named}\n"})

    assert list(findings(tmp_path)) == []


def test_nothing_is_found_when_a_superseded_decision_names_a_deleted_file(tmp_path: Path) -> None:
    pages = {
        "docs/adr/a.md": "Status: superseded\n`kit/gone.py`\n",
        "docs/adr/b.md": "Status: accepted\n`kit/gone.py`\n",
    }
    plant(tmp_path, {**TREE, **pages})

    assert [str(each.path) for each in findings(tmp_path)] == ["docs/adr/b.md"]


def test_page_is_found_when_a_comment_refers_to_one_that_is_not_there(tmp_path: Path) -> None:
    plant(tmp_path, {**TREE, "kit/ids.py": '"""Ids, see docs/limits.md and docs/gone.md."""\n'})

    assert [str(each) for each in findings(tmp_path)] == ["kit/ids.py:1: docs/gone.md does not exist"]
