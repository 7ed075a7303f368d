"""How near two spellings are, for showing what matched; the engines judge by the same allowance."""

from collections.abc import Sequence
from functools import lru_cache

from search.spelling import joined, letters, parts

ONE_TYPO_FROM, TWO_TYPOS_FROM = 4, 8


def typos_allowed(word: str) -> int:
    """How many wrong letters a word of this length may have."""
    return 2 if len(word) >= TWO_TYPOS_FROM else 1 if len(word) >= ONE_TYPO_FROM else 0


@lru_cache(maxsize=65536)
def is_close(typed: str, word: str) -> bool:
    """Whether the word begins with what was typed, give or take its typos."""
    if word.startswith(typed):
        return True
    allowed = typos_allowed(typed)
    if allowed == 0 or not set(typed[:2]) & set(word[:3]):
        return False
    lengths = range(len(typed) - allowed, len(typed) + allowed + 1)
    beginnings = {word[:length] for length in lengths if length > 0}
    return any(distance(typed, beginning) <= allowed for beginning in beginnings)


def distance(first: str, second: str) -> int:
    """Letters to change, drop or add to turn one word into the other (Levenshtein)."""
    above = list(range(len(second) + 1))
    for row, letter in enumerate(first, 1):
        current = [row]
        for column, other in enumerate(second, 1):
            changed = above[column - 1] + (letter != other)
            current.append(min(changed, above[column] + 1, current[-1] + 1))
        above = current
    return above[-1]


def has_all(typed: Sequence[str], text: str) -> bool:
    """Whether a name has every typed word, at the beginning of one of its words or their parts."""
    words = [*letters(text).split(), *joined(text), *parts(text)]
    return all(any(is_close(each, word) for word in words) for each in typed)
