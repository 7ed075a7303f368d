"""Base45 (RFC 9285): bytes as text of the 45 characters that a QR code stores in alphanumeric mode."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_DIGITS = {character: value for value, character in enumerate(_ALPHABET)}
_BASE = len(_ALPHABET)


def base45_encode(data: bytes) -> str:
    """The text of these bytes: three characters for two bytes, two for a last single one."""
    letters = []
    for at in range(0, len(data), 2):
        pair = data[at : at + 2]
        rest = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            rest, digit = divmod(rest, _BASE)
            letters.append(_ALPHABET[digit])
    return "".join(letters)


def base45_decode(text: str) -> bytes:
    """The bytes of a text.

    Raises:
        ValueError: it has another character, a length that no bytes have, or a group above its bytes.
    """
    try:
        digits = [_DIGITS[character] for character in text]
    except KeyError:
        raise ValueError("not a character of Base45") from None
    if len(digits) % 3 == 1:
        raise ValueError("not a length of Base45")
    groups = (digits[at : at + 3] for at in range(0, len(digits), 3))
    return b"".join(_bytes_of(group) for group in groups)


def _bytes_of(group: list[int]) -> bytes:
    value = 0
    for digit in reversed(group):
        value = value * _BASE + digit
    try:
        return value.to_bytes(len(group) - 1, "big")
    except OverflowError:
        raise ValueError("not a group of Base45") from None
