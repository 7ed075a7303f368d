"""What may not be in a log: the last net, under code that does not log such things to begin with."""

import re

# Each with a text without which it cannot match: looking for that first is many times cheaper.
_HIDDEN = (
    # Tokens: JWTs, credentials of a header, keys and client secrets of the common payment API.
    ("eyJ", re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), "[token]"),
    ("earer ", re.compile(r"\b([Bb]earer) +[\w.~+/=-]{8,}"), r"\1 [token]"),
    ("k_", re.compile(r"\b[srp]k_(?:test|live)_\w+"), "[key]"),
    ("whsec_", re.compile(r"\bwhsec_\w+"), "[key]"),
    ("_secret_", re.compile(r"_secret_\w+"), "_secret_[hidden]"),
    # Entry codes, and the secrets in the addresses of tickets' documents.
    ("BX1:", re.compile(r"\bBX1:[0-9A-Z $%*+./:-]{20,}"), "[entry code]"),
    ("/tickets/", re.compile(r"(/tickets/)[\w-]{20,}"), r"\1[secret]"),
    # Passwords within addresses: scheme://user:password@host.
    ("://", re.compile(r"(://[^\s:/@]*):[^\s/@]+@"), r"\1:[hidden]@"),
    ("@", re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"), "[e-mail]"),
)
_MAYBE_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w.-]*\w)")


def redacted(text: str) -> str:
    """The text without tokens, keys, passwords, e-mail addresses and card numbers."""
    for needle, pattern, instead in _HIDDEN:
        if needle in text:
            text = pattern.sub(instead, text)
    return _MAYBE_CARD.sub(_without_card, text)


def _without_card(found: re.Match[str]) -> str:
    digits = [int(each) for each in found[0] if each.isdigit()]
    return "[card]" if _passes_luhn(digits) else found[0]


def _passes_luhn(digits: list[int]) -> bool:
    """The check that every payment card's number passes (ISO/IEC 7812-1, annex B)."""
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
