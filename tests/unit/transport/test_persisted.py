"""Stores of persisted documents, layered and bounded, and the manifest of trusted documents."""

from __future__ import annotations

import pytest

from transport import LayeredDocumentStore, MemoryDocumentStore
from transport.documents.cache import digest_of
from transport.documents.persisted import manifest_of


class CountingStore(MemoryDocumentStore):
    """Counts how often it is asked."""

    asked = 0
    received = 0

    async def get(self, document_hash: str) -> str | None:
        self.asked += 1
        return await super().get(document_hash)

    async def put(self, document_hash: str, text: str) -> None:
        self.received += 1
        await super().put(document_hash, text)


async def test_shared_store_is_asked_once_when_a_document_is_found_there() -> None:
    far = CountingStore()
    await far.put("a", "{ a }")
    layered = LayeredDocumentStore(MemoryDocumentStore(), far)
    assert [await layered.get("a"), await layered.get("a")] == ["{ a }", "{ a }"]
    assert far.asked == 1
    await layered.put("a", "{ a }")
    assert far.received == 2


async def test_least_recently_used_document_is_evicted_when_the_store_is_full() -> None:
    store = MemoryDocumentStore(capacity=2)
    await store.put("a", "1")
    await store.put("b", "2")
    await store.get("a")
    await store.put("c", "3")
    assert [await store.get(name) for name in "abc"] == ["1", None, "3"]


def test_manifest_is_refused_when_a_hash_is_not_its_texts() -> None:
    text = "{ hello }"
    assert manifest_of({f"sha256:{digest_of(text)}": text}) == manifest_of([text])
    with pytest.raises(ValueError, match="does not have this hash"):
        manifest_of({"sha256:" + "0" * 64: text})
