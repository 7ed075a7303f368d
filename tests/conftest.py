"""What every tier shares: the real parts (tests/parts.py)."""

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
    "redis_server",
    "redis_url",
    "servers_home",
]
