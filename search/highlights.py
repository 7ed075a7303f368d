"""Highlights: where the texts of a found event match the keyword, the same for both engines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from search.index import Hit
from search.match_quality import is_prefix_match
from search.spelling import romanised

_WORD = re.compile(r"\w+")
# The words of names recur in nearly every answer.
_WORDS_CACHED = 65_536


@dataclass(frozen=True, slots=True)
class Highlight:
    """A text of the event and its matching ranges, (start, length) in characters."""

    field: str
    text: str
    ranges: tuple[tuple[int, int], ...]


def highlights(keyword: str, hit: Hit) -> tuple[Highlight, ...]:
    """The texts of a hit that match, the name first."""
    typed = romanised(keyword).split()
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
        if any(_matches(each, spelt) for each in typed):
            yield found.start(), len(found[0])


@lru_cache(maxsize=_WORDS_CACHED)
def _spelt(word: str) -> str:
    return romanised(word).replace(" ", "")


def _matches(typed: str, word: str) -> bool:
    if is_prefix_match(typed, word):
        return True
    short, long = (typed, word) if len(typed) <= len(word) else (word, typed)
    return len(short) >= 4 and short in long
