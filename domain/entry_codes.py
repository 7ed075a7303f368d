"""Entry codes: what a scanner reads of a ticket, signed, so that a door can check it without a network.

A code is `BX1:` and the Base45 text of 103 bytes; docs/entry-codes.md describes them for other verifiers.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kit.base45 import base45_decode, base45_encode

PREFIX = "BX1:"
MOST_GENERATIONS = 0xFFFF
_VERSION = 1
# The version, the key's id, the event, the ticket, the generation; the signature stands behind.
_SIGNED = struct.Struct(">B4s16s16sH")
_SIGNATURE_BYTES = 64


class InvalidEntryCode(ValueError):
    """It is no entry code of ours."""


@dataclass(frozen=True, slots=True)
class EntryCode:
    """What a valid code says. Only the ticket's present generation lets in."""

    event_id: UUID
    ticket_id: UUID
    generation: int


def key_id_of(public_key: Ed25519PublicKey) -> bytes:
    """The four bytes that name a key within a code."""
    return sha256(public_key.public_bytes_raw()).digest()[:4]


def entry_code(key: Ed25519PrivateKey, key_id: bytes, content: EntryCode) -> str:
    """The code of one generation of a ticket; the same whenever it is made with the same key."""
    signed = _SIGNED.pack(
        _VERSION,
        key_id,
        content.event_id.bytes,
        content.ticket_id.bytes,
        content.generation,
    )
    return PREFIX + base45_encode(signed + key.sign(signed))


def read_entry_code(code: str, keys: Mapping[bytes, Ed25519PublicKey]) -> EntryCode:
    """What a code says, by the keys of an installation, each under its id.

    White space around it, which scanners that type may add, does no harm.

    Raises:
        InvalidEntryCode: it is misshapen, or none of the keys has signed it.
    """
    raw = _raw(code.strip())
    signed, signature = raw[: _SIGNED.size], raw[_SIGNED.size :]
    version, key_id, event, ticket, generation = _SIGNED.unpack(signed)
    key = keys.get(key_id)
    if version != _VERSION or key is None:
        raise InvalidEntryCode
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        raise InvalidEntryCode from None
    return EntryCode(UUID(bytes=event), UUID(bytes=ticket), generation)


def _raw(code: str) -> bytes:
    try:
        raw = base45_decode(code.removeprefix(PREFIX)) if code.startswith(PREFIX) else b""
    except ValueError:
        raise InvalidEntryCode from None
    if len(raw) != _SIGNED.size + _SIGNATURE_BYTES:
        raise InvalidEntryCode
    return raw
