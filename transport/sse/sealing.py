"""Messages that only the holders of a stream's token can read.

A request that is handed from one process to another carries its Authorization header; nothing
secret travels on a bus in the clear.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class Seal:
    """Encrypts JSON under a key derived from the token, and names the token's channel."""

    def __init__(self, token: str) -> None:
        self.channel = "graphql-sse:" + hashlib.sha256(b"channel:" + token.encode()).hexdigest()
        self._cipher = AESGCM(hashlib.sha256(b"key:" + token.encode()).digest())

    def close(self, message: dict[str, Any]) -> bytes:
        """Encrypt a message."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, orjson.dumps(message), None)

    def open(self, sealed: bytes) -> dict[str, Any] | None:
        """Decrypt a message; None for what was not sealed with this token."""
        try:
            message = orjson.loads(self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None))
        except (InvalidTag, ValueError):
            return None
        return message if isinstance(message, dict) else None
