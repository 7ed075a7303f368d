"""No function, class, method, variable or import is unused: vulture, and exceptions that have a reason.

Code that only tests use is dead too, so the product is read without its tests first; then the helpers of the
tests are judged with everything. vulture compares names. A name that a framework calls, or that only a text
has, stands in tools/lint/dead_code_exceptions.py. An exception that covers nothing is a violation as well.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from vulture import Vulture

from tools.lint.dead_code_exceptions import EXCEPTIONS, USED_BY_DECORATOR, CodeException
from tools.lint.findings import Finding, source_files

TESTS = "tests"


class Unused(NamedTuple):
    """A definition whose name occurs nowhere else."""

    path: Path
    line: int
    kind: str
    name: str
    message: str


def findings(root: Path, exceptions: tuple[CodeException, ...] = EXCEPTIONS) -> Iterator[Finding]:
    """Every definition that is unused and has no exception, and every exception without such a definition."""
    found = [*unused(root, tests=False), *unused(root, tests=True)]
    for each in found:
        if not any(covers(exception, each) for exception in exceptions):
            yield Finding(each.path, each.line, each.message)
    for exception in exceptions:
        if not any(covers(exception, each) for each in found):
            message = f"the exception for {exception.names} in {exception.files} covers nothing: delete it"
            yield Finding(Path("tools/lint/dead_code_exceptions.py"), 1, message)


def unused(root: Path, *, tests: bool) -> Iterator[Unused]:
    """What is unused: in the tests, judged with everything, or in everything else, judged without them."""
    vulture = Vulture(ignore_decorators=list(USED_BY_DECORATOR))
    paths = source_files(root, ".py")
    vulture.scavenge([path for path in paths if tests or not in_tests(path.relative_to(root))])
    for item in vulture.get_unused_code(min_confidence=60):
        shown = item.filename.relative_to(root)
        if in_tests(shown) == tests:
            yield Unused(shown, item.first_lineno, item.typ, item.name, item.message)


def in_tests(path: Path) -> bool:
    return path.parts[0] == TESTS


def covers(exception: CodeException, each: Unused) -> bool:
    return (
        fnmatchcase(str(each.path), exception.files)
        and each.kind in exception.kinds
        and any(fnmatchcase(each.name, name) for name in exception.names.split())
    )
