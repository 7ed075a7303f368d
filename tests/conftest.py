"""What every tier shares: the real parts (tests/parts.py) and Hypothesis's profiles (tests/profiles.py)."""

import gc

import pytest

from tests import profiles
from tests.parts import (
    administrator,
    empty_postgres_url,
    meilisearch_server,
    migrated_pool,
    module_postgres_url,
    postgres_server,
    postgres_url,
    redis_server,
    redis_url,
    servers_home,
)

__all__ = [
    "administrator",
    "empty_postgres_url",
    "meilisearch_server",
    "migrated_pool",
    "module_postgres_url",
    "postgres_server",
    "postgres_url",
    "profiles",
    "redis_server",
    "redis_url",
    "servers_home",
]


@pytest.hookimpl
def pytest_collection_finish() -> None:
    """Keep modules and collected tests out of every later garbage collection: they live until the end."""
    gc.collect()
    gc.freeze()
