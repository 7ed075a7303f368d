"""An answer over HTTP: its ETag and its compressed forms, each computed at most once."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Hashable
from math import inf
from typing import Any

import brotli

from transport.protocol.payload import Payload

COMPRESS_FROM_BYTES = 1_024
COMPRESS_IN_THREAD_FROM_BYTES = 65_536
BROTLI_QUALITY = 4
GZIP_LEVEL = 5


class Answer:
    """A payload on its way to one or many HTTP clients."""

    __slots__ = ("_compressed", "_tag", "others_seconds", "payload", "personal", "true_seconds", "written")

    def __init__(
        self, payload: Payload, personal: bool = False, true_seconds: float = inf, kept_seconds: float = 0.0
    ) -> None:
        self.payload = payload
        self.personal = personal
        self.true_seconds = true_seconds
        """Until it is not true any more, from now"""
        self.others_seconds = max(0.0, true_seconds - kept_seconds)
        """For how long other caches may keep it, after this process has kept it for `kept_seconds`"""
        self._tag: str | None = None
        self._compressed: dict[str, bytes] = {}
        self.written: dict[Hashable, Any] = {}
        """Whole responses of this answer, by response preferences"""

    def etag(self, encoding: str | None) -> str:
        """Return the strong ETag of the form sent in this encoding."""
        if self._tag is None:
            self._tag = hashlib.blake2b(self.payload.body, digest_size=16).hexdigest()
        return f'"{self._tag}-{encoding}"' if encoding else f'"{self._tag}"'

    def encoding(self, wanted: str | None) -> str | None:
        """Return the encoding to use: none for a body too small to gain from it."""
        return wanted if len(self.payload.body) >= COMPRESS_FROM_BYTES else None

    def ready_body(self, encoding: str | None) -> bytes | None:
        """Return the body in an encoding; None for a large one that is not compressed yet."""
        plain = self.payload.body
        if encoding is None:
            return plain
        packed = self._compressed.get(encoding)
        if packed is None and len(plain) < COMPRESS_IN_THREAD_FROM_BYTES:
            packed = self._compressed[encoding] = compress(plain, encoding)
        return packed

    async def body(self, encoding: str | None) -> bytes:
        """Return the body in an encoding; large ones are compressed off the loop."""
        ready = self.ready_body(encoding)
        if ready is None:
            assert encoding is not None
            ready = await asyncio.to_thread(compress, self.payload.body, encoding)
            self._compressed[encoding] = ready
        return ready


def compress(body: bytes, encoding: str) -> bytes:
    """Compress with br or gzip."""
    if encoding == "br":
        return bytes(brotli.compress(body, quality=BROTLI_QUALITY))
    return gzip.compress(body, GZIP_LEVEL, mtime=0)


def matches(if_none_match: str, etag: str) -> bool:
    """Compare an If-None-Match header with an ETag, weakly, as RFC 9110 says."""
    if if_none_match.strip() == "*":
        return True
    tags = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
    return etag in tags
