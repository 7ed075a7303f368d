"""Highlights: where the texts of a found event match the keyword, the same for both engines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from search.folding import unpaired
from search.index import Hit
from search.keyword import Keyword, KeywordKind, read_keyword, wordless_name
from search.match_quality import has_initials, is_prefix_match
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
    found = (Highlight(field, text, tuple(_ranges(keyword, text))) for field, text in _texts(hit) if text)
    return tuple(highlight for highlight in found if highlight.ranges)


def _texts(hit: Hit) -> Iterator[tuple[str, str]]:
    yield "name", hit.name
    for performer in hit.performers:
        yield "performers", performer
    yield "venue", hit.venue
    yield "city", hit.city


def _ranges(keyword: str, text: str) -> Iterator[tuple[int, int]]:
    asked = read_keyword(keyword)
    if asked.kind is KeywordKind.NAME:
        if wordless_name(text) in asked.words:
            yield 0, len(text)
        return
    for found in _WORD.finditer(text):
        if _is_found(asked, found[0]):
            yield found.start(), len(found[0])


def _is_found(asked: Keyword, word: str) -> bool:
    if asked.kind is KeywordKind.INITIALS:
        return has_initials(asked, word)
    spelt = _spelt(word)
    return any(_matches(each, spelt) for each in _typed(asked))


@lru_cache(maxsize=1024)
def _typed(asked: Keyword) -> tuple[str, ...]:
    """The terms, and all of them written together."""
    terms = [unpaired(term) for term in asked.terms]
    return (*terms, "".join(terms)) if len(terms) > 1 else tuple(terms)


@lru_cache(maxsize=_WORDS_CACHED)
def _spelt(word: str) -> str:
    return unpaired(romanised(word).split())


def _matches(typed: str, word: str) -> bool:
    if is_prefix_match(typed, word):
        return True
    short, long = (typed, word) if len(typed) <= len(word) else (word, typed)
    return len(short) >= 4 and short in long
