"""What every tier shares: the real parts (tests/parts.py)."""

from tests.parts import (
    empty_postgres_url,
    meilisearch_server,
    migrated_template,
    module_postgres_url,
    postgres_server,
    postgres_url,
    redis_server,
    redis_url,
    servers_home,
    start_stripe,
)

__all__ = [
    "empty_postgres_url",
    "meilisearch_server",
    "migrated_template",
    "module_postgres_url",
    "postgres_server",
    "postgres_url",
    "redis_server",
    "redis_url",
    "servers_home",
    "start_stripe",
]
