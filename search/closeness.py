"""How near two spellings are, for showing what matched; the engines judge by the same allowance."""

from functools import lru_cache

from search.spelling import joined, letters, parts, skeleton

ONE_TYPO_FROM, TWO_TYPOS_FROM = 4, 8
# Fewer consonants than this are the shape of too many names.
SHORTEST_SHAPE = 4


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
    return begins_within(typed, word, allowed)


def begins_within(typed: str, word: str, allowed: int) -> bool:
    """Whether so many letters changed, dropped or added make what was typed a beginning of the word."""
    word = word[: len(typed) + allowed]
    above = list(range(len(word) + 1))
    for row, letter in enumerate(typed, 1):
        current = [row]
        for column, other in enumerate(word, 1):
            changed = above[column - 1] + (letter != other)
            current.append(min(changed, above[column] + 1, current[-1] + 1))
        if min(current) > allowed:
            return False
        above = current
    return min(above) <= allowed


def has_shape(keyword: str) -> bool:
    """Whether the consonants alone tell which name is meant."""
    return len(skeleton(keyword).replace(" ", "")) >= SHORTEST_SHAPE


def closeness(typed: str, text: str) -> int | None:
    """How well a name has every typed word: 0 as typed, 1 with typos, 2 by its sound; None not at all.

    A word counts at the beginning of one of the name's words, or of the end of a Korean word.
    """
    words = [*letters(text).split(), *joined(text), *parts(text)]
    wanted = letters(typed).split()
    if all(any(word.startswith(each) for word in words) for each in wanted):
        return 0
    if all(any(is_close(each, word) for word in words) for each in wanted):
        return 1
    shape = skeleton(typed).replace(" ", "")
    return 2 if len(shape) >= SHORTEST_SHAPE and shape in skeleton(text).replace(" ", "") else None
