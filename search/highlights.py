"""Where a found event shows what was typed: the same for every engine, since both find by letters."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from search.closeness import is_close
from search.index import Hit
from search.spelling import letters

_WORD = re.compile(r"\w+")
# The words of names come again in nearly every answer.
_WORDS_REMEMBERED = 65_536


@dataclass(frozen=True, slots=True)
class Highlight:
    """A text of the event, and the (start, length) of what matched in it, in characters."""

    field: str
    text: str
    ranges: tuple[tuple[int, int], ...]


def highlights(keyword: str, hit: Hit) -> tuple[Highlight, ...]:
    """The texts of a hit in which something matches, the name first."""
    typed = letters(keyword).split()
    if len(typed) > 1:
        typed.append("".join(typed))
    found = (Highlight(field, text, tuple(_ranges(typed, text))) for field, text in _texts(hit) if text)
    return tuple(highlight for highlight in found if highlight.ranges)


def _texts(hit: Hit) -> Iterator[tuple[str, str]]:
    yield "name", hit.name
    for performer in hit.performers:
        yield "performers", performer
    yield "venue", hit.venue
    yield "city", hit.city


def _ranges(typed: list[str], text: str) -> Iterator[tuple[int, int]]:
    for found in _WORD.finditer(text):
        spelt = _spelt(found[0])
        if any(_shows(each, spelt) for each in typed):
            yield found.start(), len(found[0])


@lru_cache(maxsize=_WORDS_REMEMBERED)
def _spelt(word: str) -> str:
    return letters(word).replace(" ", "")


def _shows(typed: str, word: str) -> bool:
    if is_close(typed, word):
        return True
    short, long = (typed, word) if len(typed) <= len(word) else (word, typed)
    return len(short) >= 4 and short in long
