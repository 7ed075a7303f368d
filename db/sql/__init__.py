"""The contended statements, each in a file of its own that says what it promises."""

from functools import cache
from pathlib import Path


@cache
def statement(name: str) -> str:
    """The text of db/sql/NAME.sql."""
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
