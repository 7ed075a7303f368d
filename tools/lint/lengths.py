"""A function has at most 40 lines, a file at most 400.

The lines of a function are counted from its `def` to its last line, docstring included, decorators not. The
functions of a migration are left out: a migration is a list of statements that is never edited again.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from tools.lint.findings import Finding, source_files

FUNCTION_LINES = 40
FILE_LINES = 400
COUNTED = (".py", ".js", ".lua", ".sql", ".css", ".html")
MIGRATIONS = Path("db/migrations/versions")


def findings(root: Path) -> Iterator[Finding]:
    """Every file and every Python function that is too long."""
    for path in source_files(root, *COUNTED):
        text, shown = path.read_text(encoding="utf-8"), path.relative_to(root)
        yield from long_file(shown, text)
        if path.suffix == ".py" and MIGRATIONS not in shown.parents:
            yield from long_functions(shown, text)


def long_file(path: Path, text: str) -> Iterator[Finding]:
    lines = len(text.splitlines())
    if lines > FILE_LINES:
        yield Finding(path, 1, f"{lines} lines: a file has at most {FILE_LINES}; divide it by subject")


def long_functions(path: Path, text: str) -> Iterator[Finding]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                message = f"{node.name} has {lines} lines: a function has at most {FUNCTION_LINES}"
                yield Finding(path, node.lineno, message)
