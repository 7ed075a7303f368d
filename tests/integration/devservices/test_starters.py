"""The embedded servers without the supervisor."""

import asyncpg
import redis


async def test_database_is_empty_and_utf8_when_fresh(empty_postgres_url: str) -> None:
    connection = await asyncpg.connect(empty_postgres_url)
    tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    encoding = await connection.fetchval("SHOW server_encoding")
    await connection.close()

    assert (tables, encoding) == (0, "UTF8")


async def test_korean_has_trigrams_when_asked(empty_postgres_url: str) -> None:
    connection = await asyncpg.connect(empty_postgres_url)
    await connection.execute("CREATE EXTENSION pg_trgm")
    found = await connection.fetchval("SELECT '블랙핑크 서울' ILIKE '%핑크%'")
    trigrams = await connection.fetchval("SELECT cardinality(show_trgm('블랙핑크'))")
    await connection.close()

    assert (found, trigrams) == (True, 5)


def test_server_is_empty_when_a_test_begins(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")
