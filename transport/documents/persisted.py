"""Persisted documents: one store for both ways in which clients name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kit.cache import Cache
from transport.protocol.errors import BadRequest
from transport.protocol.ports import DocumentStore, LocalDocumentStore
from transport.protocol.request import OperationRequest

from .cache import digest_of


class MemoryDocumentStore:
    """Keeps documents in this process, forgetting the least recently used."""

    def __init__(self, capacity: int = 1_000) -> None:
        self._texts: Cache[str, str] = Cache(max_entries=capacity)

    async def get(self, document_hash: str) -> str | None:
        """Return the document's text, or None."""
        return self._texts.get(document_hash)

    def local(self, document_hash: str) -> str | None:
        """See `LocalDocumentStore`."""
        return self._texts.get(document_hash)

    async def put(self, document_hash: str, text: str) -> None:
        """Register a text whose hash was checked."""
        self._texts.put(document_hash, text)


class LayeredDocumentStore:
    """A local store in front of the one that all processes share."""

    def __init__(self, near: MemoryDocumentStore, far: DocumentStore) -> None:
        self._near = near
        self._far = far

    def local(self, document_hash: str) -> str | None:
        """See `LocalDocumentStore`."""
        return self._near.local(document_hash)

    async def get(self, document_hash: str) -> str | None:
        """Ask the local store first; a document of the shared store is kept locally."""
        text = await self._near.get(document_hash)
        if text is None:
            text = await self._far.get(document_hash)
            if text is not None:
                await self._near.put(document_hash, text)
        return text

    async def put(self, document_hash: str, text: str) -> None:
        """Register in both; in the shared store each time, since it may have lost the document."""
        await self._far.put(document_hash, text)
        await self._near.put(document_hash, text)


APOLLO_MANIFEST = "apollo-persisted-query-manifest"


def manifest_of(documents: Mapping[str, Any] | Iterable[str]) -> dict[str, str]:
    """Index trusted documents by hash: texts, texts by their hash, or a manifest of Apollo's generator.

    Raises: ValueError where a hash does not match its text, or the manifest has another version.
    """
    if not isinstance(documents, Mapping):
        return {digest_of(text): text for text in documents}
    if documents.get("format") == APOLLO_MANIFEST:
        if documents.get("version") != 1:
            raise ValueError(f"version 1 of {APOLLO_MANIFEST} is read here")
        documents = {each["id"]: each["body"] for each in documents["operations"]}
    manifest = {}
    for name, text in documents.items():
        digest = name.removeprefix("sha256:").lower()
        if digest != digest_of(text):
            raise ValueError(f"The trusted document {name} does not have this hash.")
        manifest[digest] = text
    return manifest


class PersistedDocuments:
    """Finds the documents of requests, and registers new ones."""

    def __init__(self, store: DocumentStore, manifest: Mapping[str, str], trusted_only: bool) -> None:
        self._store = store
        self._local = store if isinstance(store, LocalDocumentStore) else None
        self._manifest = manifest
        self._trusted_only = trusted_only

    async def find(self, request: OperationRequest) -> tuple[str, str]:
        """Return text and hash. Raises: BadRequest with a PERSISTED_QUERY_… code."""
        if request.query is not None:
            return request.query, self._checked(request.query, request.document_hash)
        digest = request.document_hash or ""
        text = self._manifest.get(digest)
        if text is None and not self._trusted_only:
            text = await self._store.get(digest)
        if text is None:
            raise BadRequest("PersistedQueryNotFound", code="PERSISTED_QUERY_NOT_FOUND")
        return text, digest

    def digest_at_hand(self, request: OperationRequest) -> str | None:
        """The hash of a request's document; None where `find` has to wait, or `register` has work to do.

        Raises: BadRequest, as `find` does.
        """
        if request.query is not None:
            return None if request.document_hash else self._checked(request.query, None)
        digest = request.document_hash or ""
        is_at_hand = digest in self._manifest or (not self._trusted_only and self._is_stored(digest))
        return digest if is_at_hand else None

    def _is_stored(self, digest: str) -> bool:
        return self._local is not None and self._local.local(digest) is not None

    async def register(self, request: OperationRequest) -> None:
        """Register a document that was sent with its hash; called once it is known to be valid."""
        if request.query is None or request.document_hash is None:
            return
        if request.document_hash not in self._manifest:
            await self._store.put(request.document_hash, request.query)

    def _checked(self, text: str, claimed: str | None) -> str:
        digest = digest_of(text)
        if claimed is not None and claimed != digest:
            raise BadRequest(
                "The document does not have the given hash.", code="PERSISTED_QUERY_HASH_MISMATCH"
            )
        if self._trusted_only and digest not in self._manifest:
            raise BadRequest("Only documents of the manifest are served.", code="DOCUMENT_NOT_TRUSTED")
        return digest
