"""UUIDv7 keys and their text form: 26 letters of lowercase Crockford base32, as TypeID writes them."""

import os
import time
from uuid import UUID

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTH = 26


def new_uuid() -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of milliseconds, then random bits, so keys grow with time."""
    milliseconds = time.time_ns() // 1_000_000
    random_bits = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & ((1 << 48) - 1)) << 80 | random_bits
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


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
    if len(text) != _LENGTH or text[0] > "7":
        raise ValueError("not a 26-letter base32 id")
    value = 0
    for letter in text:
        if letter not in _VALUES:
            raise ValueError("not a 26-letter base32 id")
        value = value << 5 | _VALUES[letter]
    return UUID(int=value)
