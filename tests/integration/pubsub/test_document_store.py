"""Persisted documents that all processes share, however many strangers register."""

from pubsub.document_store import RedisDocuments
from pubsub.keys import SIZE, TEXTS, USED
from reservations.connection import batcher, connect_server
from transport import LayeredDocumentStore, MemoryDocumentStore


async def test_the_least_recently_used_are_forgotten_when_there_are_too_many(redis_url: str) -> None:
    client = connect_server(redis_url, 4)
    documents = RedisDocuments(batcher(client), most_bytes=300)
    for number in range(3):
        await documents.put(f"hash{number}", str(number) * 100)
        await client.zadd(USED, {f"hash{number}": number + 1})
    assert await documents.get("hash0") == "0" * 100

    await documents.put("large", "x" * 150)

    kept = [name for name in ("hash0", "hash1", "hash2", "large") if await documents.get(name)]
    assert kept == ["hash0", "large"]
    assert await client.get(SIZE) == b"250"
    assert all([0 < await client.ttl(key) <= 30 * 86_400 for key in (TEXTS, USED, SIZE)])
    await client.aclose()


async def test_size_is_right_when_a_document_is_registered_again(redis_url: str) -> None:
    client = connect_server(redis_url, 4)
    documents = RedisDocuments(batcher(client), most_bytes=300)
    for _ in range(5):
        await documents.put("hash", "é" * 50)

    assert (await client.get(SIZE), await documents.get("hash")) == (b"100", "é" * 50)
    await client.aclose()


async def test_the_count_begins_anew_when_one_of_the_keys_was_lost(redis_url: str) -> None:
    client = connect_server(redis_url, 4)
    documents = RedisDocuments(batcher(client), most_bytes=300)
    for number in range(3):
        await documents.put(f"hash{number}", str(number) * 100)
    await client.delete(USED)
    for number in range(3, 7):
        await documents.put(f"hash{number}", str(number) * 100)

    size = int(await client.get(SIZE) or 0)
    assert size == sum([await client.hstrlen(TEXTS, f"hash{number}") for number in range(7)]) <= 300
    await client.aclose()


async def test_one_larger_than_all_may_be_is_not_kept(redis_url: str) -> None:
    client = connect_server(redis_url, 4)
    documents = RedisDocuments(batcher(client), most_bytes=300)
    await documents.put("hash", "x" * 301)

    assert (await client.get(SIZE), await documents.get("hash")) == (b"0", None)
    await client.aclose()


async def test_a_document_is_put_back_when_the_shared_store_has_lost_it(redis_url: str) -> None:
    client = connect_server(redis_url, 4)
    shared = RedisDocuments(batcher(client))
    one, other = (LayeredDocumentStore(MemoryDocumentStore(), shared) for _ in range(2))
    await one.put("hash", "{ a }")
    await client.delete(TEXTS, USED, SIZE)
    assert await other.get("hash") is None

    await one.put("hash", "{ a }")

    assert await other.get("hash") == "{ a }"
    await client.aclose()
