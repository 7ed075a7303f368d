"""The keys of Meilisearch: the API's only searches, the worker's fills the index, neither makes keys."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest

from db.session import Database
from devservices.meilisearch import Meilisearch
from search.administration import MeilisearchAdministration
from search.index import IndexUnavailable
from search.meilisearch import MeilisearchIndex
from services.search.find_events import venues_around
from services.search.rebuild_index import rebuild
from tests.integration.search.catalogue import add_event, add_venue
from tests.integration.search.conftest import Engine
from tests.integration.search.test_indexing import found_names, indexing
from tests.integration.search.waiting import until


@contextlib.asynccontextmanager
async def engine_with_keys(
    server: Meilisearch, database: Database, search_key: str, index_key: str
) -> AsyncIterator[Engine]:
    """The index called events, as an API and a worker with these keys use it; removed afterwards."""
    index = MeilisearchIndex(server.url(), search_key, venues_around(database), timeout_seconds=2.0)
    administration = MeilisearchAdministration(server.url(), index_key)
    try:
        yield Engine(server, administration, index)
    finally:
        await index.close()
        cleaner = MeilisearchAdministration(server.url(), server.master_key)
        await asyncio.to_thread(cleaner.drop)
        await asyncio.to_thread(cleaner.drop_next)


async def test_worker_fills_and_api_searches_when_each_has_its_key(
    meilisearch_server: Meilisearch, database: Database
) -> None:
    await add_event(database, "공연", await add_venue(database, "롤링홀"))
    keys = (meilisearch_server.search_key(), meilisearch_server.index_key())

    async with engine_with_keys(meilisearch_server, database, *keys) as engine, indexing(database, engine):

        async def finds() -> bool:
            return await found_names(database, engine, "롤링홀") == ["공연"]

        await until(finds)
        await rebuild(database, engine.administration)
        assert await finds()
        indexed = await asyncio.to_thread(engine.administration.documents)
        assert [each["name"] for each in indexed.values()] == ["공연"]


async def test_index_is_not_filled_when_the_key_only_searches(
    meilisearch_server: Meilisearch, database: Database
) -> None:
    await add_event(database, "공연", await add_venue(database, "롤링홀"))
    key = meilisearch_server.search_key()

    async with engine_with_keys(meilisearch_server, database, key, key) as engine:
        with pytest.raises(IndexUnavailable):
            await rebuild(database, engine.administration)


@pytest.mark.parametrize("whose", ["search", "index"])
@pytest.mark.parametrize(("method", "path"), [("GET", "/keys"), ("POST", "/keys"), ("POST", "/dumps")])
async def test_key_is_refused_when_it_asks_for_more(
    meilisearch_server: Meilisearch, whose: str, method: str, path: str
) -> None:
    key = meilisearch_server.search_key() if whose == "search" else meilisearch_server.index_key()
    async with httpx.AsyncClient(base_url=meilisearch_server.url(), trust_env=False) as client:
        answer = await client.request(method, path, headers={"authorization": f"Bearer {key}"}, json={})

    assert answer.status_code == 403
