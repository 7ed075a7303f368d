"""Function length and file length."""

from pathlib import Path

import pytest

from tests.unit.tools.planting import plant
from tools.lint.lengths import FILE_LINES, FUNCTION_LINES, findings


def function(lines: int, decorator: str = "") -> str:
    return f"{decorator}def f():\n" + "    pass\n" * (lines - 1)


def test_function_is_found_when_it_has_a_line_too_many(tmp_path: Path) -> None:
    plant(tmp_path, {"room/a.py": "x = 1\n" + function(FUNCTION_LINES + 1)})

    assert [str(each) for each in findings(tmp_path)] == [
        f"room/a.py:2: f has {FUNCTION_LINES + 1} lines: a function has at most {FUNCTION_LINES}"
    ]


def test_inner_function_is_found_when_it_is_a_coroutine_of_a_class(tmp_path: Path) -> None:
    body = "        pass\n" * FUNCTION_LINES
    plant(tmp_path, {"a.py": f"class A:\n    async def f(self):\n{body}"})

    assert [each.line for each in findings(tmp_path)] == [2]


def test_nothing_is_found_when_a_function_has_the_most_lines_and_a_long_decorator(tmp_path: Path) -> None:
    plant(tmp_path, {"a.py": function(FUNCTION_LINES, "@mark(\n" + "    1,\n" * 30 + ")\n")})

    assert list(findings(tmp_path)) == []


@pytest.mark.parametrize("name", ["a.py", "web/a.js", "lua/a.lua", "sql/a.sql"])
def test_file_is_found_when_it_has_a_line_too_many(tmp_path: Path, name: str) -> None:
    plant(tmp_path, {name: "\n" * (FILE_LINES + 1), "b.py": "\n" * FILE_LINES})

    assert [str(each) for each in findings(tmp_path)] == [
        f"{name}:1: {FILE_LINES + 1} lines: a file has at most {FILE_LINES}; divide it by subject"
    ]


def test_nothing_is_found_when_the_function_is_a_released_migration(tmp_path: Path) -> None:
    plant(tmp_path, {"db/migrations/versions/0001_a.py": function(90), "node_modules/a.js": "\n" * 900})

    assert list(findings(tmp_path)) == []
