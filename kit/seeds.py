"""Seeds of keys: random bytes, written in base64."""

from base64 import b64decode, b64encode
from secrets import token_bytes

SEED_BYTES = 32


def new_seed() -> str:
    """The base64 of 32 bytes, drawn now."""
    return b64encode(token_bytes(SEED_BYTES)).decode()


def seed_of(text: str) -> bytes:
    """The 32 bytes of a seed in base64, of either alphabet.

    Raises:
        ValueError: the text is nothing of the kind.
    """
    try:
        seed = b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        seed = b""
    if len(seed) != SEED_BYTES:
        raise ValueError(f"must be the base64 of {SEED_BYTES} random bytes")
    return seed
