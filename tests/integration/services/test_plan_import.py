"""Importing a seating plan that is too large for a request, and creating events from it."""

from dataclasses import dataclass
from pathlib import Path

import asyncpg
import orjson
import pytest

from domain.errors import InvalidInput
from services.catalogue.demo.seating_plans import arena
from services.catalogue.import_files import import_plan


@dataclass(frozen=True)
class Address:
    """Where the database is."""

    database_url: str


ARENA = orjson.dumps(arena())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "arena.json"
    path.write_bytes(ARENA)
    return path


@pytest.fixture
def faulty_file(tmp_path: Path) -> Path:
    path = tmp_path / "faulty.json"
    path.write_bytes(b"{}")
    return path


async def stored(url: str) -> list[tuple[str, int, str]]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT name, seat_count, document FROM seating_plans")
        return [tuple(row) for row in rows]
    finally:
        await connection.close()


async def test_plan_is_stored_once_when_it_is_imported_twice(postgres_url: str, file: Path) -> None:
    first = await import_plan(Address(postgres_url), file)
    second = await import_plan(Address(postgres_url), file)

    lines = first.splitlines()
    assert second == first
    assert lines[0] == "Arena: 17760 seats, 5200 by 4400 units."
    assert lines[-1].startswith("plan: pln_")
    assert await stored(postgres_url) == [("Arena", 17760, ARENA.decode())]


async def test_nothing_is_stored_when_the_plan_has_a_fault(postgres_url: str, faulty_file: Path) -> None:
    with pytest.raises(InvalidInput, match="name: is missing"):
        await import_plan(Address(postgres_url), faulty_file)
    assert await stored(postgres_url) == []
