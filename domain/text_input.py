"""Checks of text from outside: its length and its characters."""

import re

from domain.errors import InvalidInput
from domain.hidden_characters import hidden_character

_LETTERS_FOR_A_PERSON = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]*")
_LETTERS_WITH_LINES = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]*")
# Deliberately loose (RFC 5321's lengths, one @, a dot in the host): only a mail can prove an address.
_EMAIL = re.compile(r"[^\s@<>\"(),:;\\\[\]]{1,64}@[^\s@<>\"(),:;\\\[\]]{1,190}\.[^\s@.<>\"(),:;\\\[\]]{2,63}")
LONGEST_EMAIL = 254


def line(text: str, path: str, *, least: int = 1, most: int = 200) -> str:
    """Check one line of text; returns it without the spaces at its ends.

    Raises:
        InvalidInput: too short, too long, or holding a control character.
    """
    tidy = text.strip()
    if not least <= len(tidy) <= most:
        raise InvalidInput(f"{path}: must have {least} to {most} characters.")
    if not _LETTERS_FOR_A_PERSON.fullmatch(tidy):
        raise InvalidInput(f"{path}: must not have control characters.")
    return tidy


def name(text: str, path: str, *, most: int = 200) -> str:
    """Check the name of a person or a thing as `line` does.

    Raises:
        InvalidInput: as `line`, or it has an invisible character or a mark of direction.
    """
    tidy = line(text, path, most=most)
    hidden = hidden_character(tidy)
    if hidden is not None:
        raise InvalidInput(f"{path}: must not have the invisible character {hidden}.")
    return tidy


def optional_name(text: str | None, path: str, *, most: int = 200) -> str | None:
    """Check a name as `name` does; an empty one or only spaces become None."""
    if text is None or not text.strip():
        return None
    return name(text, path, most=most)


def optional_line(text: str | None, path: str, *, most: int = 200) -> str | None:
    """Check one line as `line` does; an empty line or only spaces become None."""
    if text is None or not text.strip():
        return None
    return line(text, path, most=most)


def paragraphs(text: str, path: str, *, most: int = 20_000) -> str:
    """Check a text that may have several lines.

    Raises:
        InvalidInput: too long, or holding a control character other than tabs and line ends.
    """
    if len(text) > most:
        raise InvalidInput(f"{path}: must have at most {most} characters.")
    if not _LETTERS_WITH_LINES.fullmatch(text):
        raise InvalidInput(f"{path}: must not have control characters.")
    return text.strip()


def email(text: str, path: str) -> str:
    """Check an email address.

    Raises:
        InvalidInput: it does not have the form of one.
    """
    tidy = text.strip()
    if len(tidy) > LONGEST_EMAIL or not _EMAIL.fullmatch(tidy) or not _LETTERS_FOR_A_PERSON.fullmatch(tidy):
        raise InvalidInput(f"{path}: this is not an email address.")
    if hidden_character(tidy) is not None:
        raise InvalidInput(f"{path}: an email address has no invisible characters.")
    return tidy
