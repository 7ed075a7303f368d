"""How well a name matches what was typed, for completions and highlights.

The same number of typos is allowed as the engines allow (search.engine_settings, search.fallback).
"""

from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from search.spelling import consonant_key, joined, parts, romanised

ONE_TYPO_FROM, TWO_TYPOS_FROM = 4, 8
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
    edits = typos_allowed(typed)
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
    return len(_whole_key(keyword)) >= SHORTEST_KEY


def match_quality(typed: str, text: str) -> int | None:
    """How well a name has every typed word: 0 as typed, 1 with typos, 2 by its consonants; None not at all.

    A typed word matches the beginning of one of the name's words, or the end of a Korean word.
    """
    words = [*romanised(text).split(), *joined(text), *parts(text)]
    wanted = romanised(typed).split()
    if all(any(word.startswith(each) for word in words) for each in wanted):
        return 0
    if all(any(is_prefix_match(each, word) for word in words) for each in wanted):
        return 1
    return 2 if has_consonant_key(typed) and _whole_key(typed) in _whole_key(text) else None


def _whole_key(text: str) -> str:
    return consonant_key(text).replace(" ", "")
