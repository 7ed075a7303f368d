"""The contended statements, each in a file whose header states its promise."""

from functools import cache
from pathlib import Path


@cache
def statement(name: str) -> str:
    """Return the text of db/sql/NAME.sql."""
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
