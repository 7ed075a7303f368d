"""Code that nothing uses, and exceptions that nothing needs."""

from pathlib import Path

import pytest

from tests.unit.tools.planting import plant
from tools.lint.dead_code import findings
from tools.lint.dead_code_exceptions import EXCEPTIONS, CodeException

USED = "def used() -> int:\n    return 1\n\n\nprint(used())\n"


@pytest.mark.parametrize(
    ("planted", "message"),
    [
        ("def gone() -> None: ...\n", "unused function 'gone'"),
        ("class Gone: ...\n", "unused class 'Gone'"),
        ("class A:\n    def gone(self) -> None: ...\n\n\nA()\n", "unused method 'gone'"),
        ("import colorsys\n", "unused import 'colorsys'"),
        ("GONE = 1\n", "unused variable 'GONE'"),
        ("def f() -> int:\n    return 1\n    f()\n\n\nf()\n", "unreachable code after 'return'"),
    ],
)
def test_definition_is_found_when_nothing_uses_it(tmp_path: Path, planted: str, message: str) -> None:
    plant(tmp_path, {"kit/a.py": USED, "kit/b.py": planted})

    assert [each.message for each in findings(tmp_path, ())] == [message]


def test_function_is_found_when_only_a_test_uses_it(tmp_path: Path) -> None:
    test = "from kit.a import used\n\n\ndef test_it() -> None:\n    used()\n"
    plant(tmp_path, {"kit/a.py": "def used() -> None: ...\n", "tests/test_a.py": test})

    assert [str(each) for each in findings(tmp_path, ())] == ["kit/a.py:1: unused function 'used'"]


def test_helper_of_the_tests_is_found_when_no_test_uses_it(tmp_path: Path) -> None:
    plant(tmp_path, {"kit/a.py": USED, "tests/houses.py": "def gone() -> None: ...\n"})

    assert [str(each) for each in findings(tmp_path, ())] == ["tests/houses.py:1: unused function 'gone'"]


def test_nothing_is_found_when_an_exception_covers_it(tmp_path: Path) -> None:
    plant(tmp_path, {"db/a.py": "down_revision = 1\n"})
    exception = CodeException("db/*.py", frozenset({"variable"}), "up down_*", "Alembic reads it")

    assert list(findings(tmp_path, (exception,))) == []


def test_exception_is_found_when_it_covers_nothing(tmp_path: Path) -> None:
    plant(tmp_path, {"db/a.py": USED})
    exception = CodeException("db/*.py", frozenset({"variable"}), "down_*", "Alembic reads it")

    assert [each.message for each in findings(tmp_path, (exception,))] == [
        "the exception for down_* in db/*.py covers nothing: delete it"
    ]


def test_every_exception_has_a_reason() -> None:
    assert all(len(each.reason) > 10 for each in EXCEPTIONS)
