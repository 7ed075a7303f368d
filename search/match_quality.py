"""How well a name matches what was typed, for completions and highlights.

The same number of typos is allowed as the engines allow (search.engine_settings, search.fallback).
"""

from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from search.initials import initials
from search.keyword import Keyword, KeywordKind, read_keyword, wordless_name
from search.sounds import names_like
from search.spelling import consonant_key, joined, parts, romanised

# With one typo, and more letters behind it, a word of four letters is nearly any word: Blur finds each blues.
ONE_TYPO_FROM, TWO_TYPOS_FROM = 5, 8
# A shorter consonant key fits too many names.
SHORTEST_KEY = 4


def typos_allowed(word: str) -> int:
    """The number of typos that a word of this length may have."""
    return 2 if len(word) >= TWO_TYPOS_FROM else 1 if len(word) >= ONE_TYPO_FROM else 0


@lru_cache(maxsize=65536)
def is_prefix_match(typed: str, word: str) -> bool:
    """Whether the word begins with the typed text, with the typos that its length allows."""
    if word.startswith(typed):
        return True
    edits = 0 if typed.isdecimal() else typos_allowed(typed)
    if edits == 0 or not set(typed[:2]) & set(word[:3]):
        return False
    return is_prefix_within(typed, word, edits)


def is_prefix_within(typed: str, word: str, edits: int) -> bool:
    """Whether some prefix of the word is at most so many edits (Levenshtein) away from the typed text."""
    shortest, longest = max(len(typed) - edits, 0), min(len(typed) + edits, len(word))
    return any(
        Levenshtein.distance(typed, word[:end], score_cutoff=edits) <= edits
        for end in range(shortest, longest + 1)
    )


def has_consonant_key(keyword: str) -> bool:
    """Whether the consonant key is long enough to identify a name."""
    return len(consonant_key(keyword).replace(" ", "")) >= SHORTEST_KEY


def match_quality(typed: str, text: str) -> int | None:
    """How well a name has every typed word: 0 as typed, 1 with typos, 2 by its sound; None not at all.

    A typed word matches the beginning of one of the name's words, or the end of a Korean word.
    """
    keyword = read_keyword(typed)
    if keyword.kind is KeywordKind.INITIALS:
        return 0 if has_initials(keyword, text) else None
    words = [*romanised(text).split(), *joined(text), *parts(text), wordless_name(text)]
    if keyword.kind is KeywordKind.NAME:
        return 0 if set(words).issuperset(keyword.words) else None
    if all(any(word.startswith(each) for word in words) for each in keyword.words):
        return 0
    if all(any(is_prefix_match(each, word) for word in words) for each in keyword.words):
        return 1
    return 2 if has_consonant_key(typed) and names_like(typed, {text: ()}) else None


def has_initials(keyword: Keyword, text: str) -> bool:
    """Whether Korean words of the text, or all of them together, have these initials or begin with them."""
    known = initials(text)
    together = "".join(keyword.words)
    return any(each.startswith(together) for each in known) or all(
        any(each.startswith(word) for each in known) for word in keyword.words
    )


def begins_with(typed: str, text: str) -> bool:
    """Whether a name begins with what was typed, not only one of its words."""
    keyword = read_keyword(typed)
    if keyword.kind is KeywordKind.INITIALS:
        return "".join(initials(text)[:1]).startswith(keyword.words[0])
    return romanised(text).startswith(" ".join(keyword.words))
