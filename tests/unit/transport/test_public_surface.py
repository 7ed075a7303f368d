"""Transport is used through its package alone, and its rooms keep the outside out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import transport

ROOT = Path(__file__).parents[3]
OWN = ("transport", "tests/transport", "tests/unit/transport", "tests/integration/transport")
INNER_UNITS = frozenset({"tests/integration/reading/test_compiled_executor.py"})
"""Tests of a unit inside transport that need the application's schema."""
FOREIGN_WORDS = ("boxoffice", "box office", "ticket", "seat", "concert", "venue", "performer", "waiting room")


def modules() -> Iterator[Path]:
    """Every module outside transport and its tests."""
    for path in ROOT.rglob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith((".", "node_modules/", "build/", "benchmarks/out/")) or name in INNER_UNITS:
            continue
        if not name.startswith(tuple(f"{own}/" for own in OWN)):
            yield path


def inner_imports(source: str) -> list[str]:
    """The modules inside transport that a source imports."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.append(node.module or "")
    return [name for name in names if name.startswith("transport.")]


def test_no_module_outside_imports_a_room_when_it_uses_transport() -> None:
    found = {str(path.relative_to(ROOT)): inner_imports(path.read_text()) for path in modules()}

    assert "app.py" in found
    assert {name: inner for name, inner in found.items() if inner} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from transport import Limits", []),
        ("from transport.protocol.limits import Limits", ["transport.protocol.limits"]),
        ("def late():\n    import transport.server", ["transport.server"]),
    ],
)
def test_an_inner_import_is_found_when_one_is_planted(source: str, found: list[str]) -> None:
    assert inner_imports(source) == found


def test_every_public_name_exists_once_and_in_order() -> None:
    assert transport.__all__ == sorted(set(transport.__all__))
    assert all(hasattr(transport, name) for name in transport.__all__)


def test_no_word_of_the_product_appears_when_transport_is_read() -> None:
    sources = {path.name: path.read_text().lower() for path in (ROOT / "transport").rglob("*.py")}

    assert {(name, word) for name, text in sources.items() for word in FOREIGN_WORDS if word in text} == set()
