"""UUIDv7 keys and their text form: 26 letters of lowercase Crockford base32, as TypeID writes them."""

import os
import time
from functools import lru_cache
from uuid import UUID

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TO_PYTHON = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")  # the digits that int() reads
_LENGTH = 26


def new_uuid() -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of milliseconds, then random bits, so keys grow with time."""
    milliseconds = time.time_ns() // 1_000_000
    random_bits = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & ((1 << 48) - 1)) << 80 | random_bits
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


@lru_cache(maxsize=16_384)
def encode_uuid(key: UUID) -> str:
    """The 26-letter text of a UUID."""
    value = key.int
    letters = [""] * _LENGTH
    for position in range(_LENGTH - 1, -1, -1):
        letters[position] = _ALPHABET[value & 31]
        value >>= 5
    return "".join(letters)


def decode_uuid(text: str) -> UUID:
    """The UUID behind its 26-letter text.

    Raises:
        ValueError: where the text is not exactly what `encode_uuid` writes.
    """
    if len(text) != _LENGTH or text[0] > "7" or text.strip(_ALPHABET):
        raise ValueError("not a 26-letter base32 id")
    return UUID(int=int(text.translate(_TO_PYTHON), 32))
