"""A real Meilisearch and searches on it."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from db.session import Database
from devservices.meilisearch import Meilisearch, find_binary
from kit.clock import utc_now
from search.administration import MeilisearchAdministration
from search.meilisearch import MeilisearchIndex
from services.search.find_events import EventSearch, Freshness, database_index, venues_around

KEY = "a-master-key-for-tests-only"
numbers = count(1)


@dataclass(frozen=True, slots=True)
class Engine:
    """A separate index on the test server."""

    server: Meilisearch
    administration: MeilisearchAdministration
    index: MeilisearchIndex


@pytest.fixture(scope="session")
def meilisearch_server(servers_home: Path) -> Iterator[Meilisearch]:
    """A Meilisearch of this session."""
    binary = find_binary()
    if binary is None:
        pytest.skip("Meilisearch's binary is not installed: run `make setup`")
    server = Meilisearch(servers_home, KEY, binary)
    server.start()
    yield server
    server.stop()


@contextlib.asynccontextmanager
async def engine_on(server: Meilisearch, database: Database) -> AsyncIterator[Engine]:
    """A separate index, removed afterwards."""
    uid = f"events_{next(numbers)}"
    index = MeilisearchIndex(server.url(), KEY, venues_around(database), uid=uid, timeout_seconds=2.0)
    administration = MeilisearchAdministration(server.url(), KEY, uid=uid)
    yield Engine(server, administration, index)
    await index.close()
    administration.drop()
    administration.drop_next()


@pytest.fixture
async def engine(meilisearch_server: Meilisearch, database: Database) -> AsyncIterator[Engine]:
    """An index that no other test uses."""
    async with engine_on(meilisearch_server, database) as own:
        yield own


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    """A fresh migrated database."""
    own = Database(postgres_url)
    yield own
    await own.close()


def search_on(database: Database, engine: Engine | None, **options: Any) -> EventSearch:
    """The search of one process; with an engine, its index is the main index."""
    index = None if engine is None else engine.index
    return EventSearch(index, database_index(database), Freshness(database, **options), utc_now)
