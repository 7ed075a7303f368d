"""Order references: short codes that people can read aloud."""

import hashlib
from uuid import UUID

# Without 0/O, 1/I/L and U, which are easily confused or form words.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 10


def reference_of(order_id: UUID, draw: int = 0) -> str:
    """The reference that an order draws, e.g. K7QX-2M9RTA, one of 30^10.

    It follows from the id, so every retry of a request draws the same ones in the same order. Of ten million
    orders two have the same first draw with a chance of one in ten: then the later order takes its next draw.
    """
    salt = draw.to_bytes(hashlib.blake2b.SALT_SIZE)
    value = int.from_bytes(hashlib.blake2b(order_id.bytes, digest_size=8, salt=salt).digest())
    letters = []
    for _ in range(_LENGTH):
        value, digit = divmod(value, len(_LETTERS))
        letters.append(_LETTERS[digit])
    return "".join(letters[:4]) + "-" + "".join(letters[4:])


def reference_beginning(text: str) -> str | None:
    """How a reference begins that somebody has typed, with or without its hyphen, in capitals or not.

    None where it is no such beginning, or has fewer than 4 letters, with which many references begin.
    """
    letters = "".join(letter for letter in text.upper() if letter not in "- ")
    if not 4 <= len(letters) <= _LENGTH or not set(letters) <= set(_LETTERS):
        return None
    return f"{letters[:4]}-{letters[4:]}"
