"""Names that sound like what was typed: the same consonants, and vowels that are not far from it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from search.spelling import consonants, romanised, sound_groups

# Names of which one has to be in an event, for each part of what was typed.
NameGroups = tuple[tuple[str, ...], ...]

# 갤럭시 and galaxy are 0.71 alike, 옐로우 몬스터즈 and yellow monsters 0.64; 무대륙 and Metallica, which have
# the same consonants too, are 0.5 alike.
_LEAST_SIMILARITY = 0.6
_MOST_WORDS = 5
_VOWELS = re.compile(r"[aeiouwy]+")
# Vowels that are written with two letters in Korean or in English, by the one that is heard.
_HEARD = {"eu": "", "eo": "o", "ae": "e", "oe": "e", "ui": "i", "wi": "i", "wo": "o", "wa": "a", "we": "e"}
_HEARD |= {"yeo": "o", "ye": "e", "yae": "e", "ya": "a", "yo": "o", "yu": "u", "y": "i", "w": "u"}
_HEARD |= {"ee": "i", "ea": "i", "oo": "u", "ou": "u", "ay": "e", "ai": "e", "au": "o", "aw": "o", "ei": "e"}
_HEARD |= {"ey": "i", "ie": "i", "oa": "o", "ow": "o"}


def names_like(typed: str, spellings: Mapping[str, Sequence[str]]) -> NameGroups:
    """The names that sound like the whole text; else those like each of its parts; else none.

    `spellings` are names, each with other spellings of it.
    """
    groups = sound_groups(typed)
    whole = "".join(word for word, _ in groups)
    for parts in ([whole], [word for word, _ in groups]):
        found = tuple(tuple(_like(part, spellings)) for part in parts)
        if all(found):
            return found
    return ()


def sounds_like(typed: str, name: str) -> bool:
    """Whether one to five neighbouring words of the name sound like the typed word."""
    words, key = romanised(name).split(), consonants(typed)
    return any(
        consonants(span) == key and _similarity(typed, span) >= _LEAST_SIMILARITY for span in _spans(words)
    )


def _like(typed: str, spellings: Mapping[str, Sequence[str]]) -> Iterable[str]:
    for name, others in spellings.items():
        if any(sounds_like(typed, spelling) for spelling in (name, *others)):
            yield name


def _spans(words: Sequence[str]) -> Iterable[str]:
    for start in range(len(words)):
        for end in range(start + 1, min(start + _MOST_WORDS, len(words)) + 1):
            yield "".join(words[start:end])


def _similarity(one: str, other: str) -> float:
    return Levenshtein.normalized_similarity(_heard(one), _heard(other))


@lru_cache(maxsize=32_768)
def _heard(word: str) -> str:
    """The consonants of a romanised word by their sound, and one letter for each vowel between them."""
    heard, end = [], 0
    for vowel in _VOWELS.finditer(word):
        heard.append(consonants(word[end : vowel.start()]))
        heard.append(_HEARD.get(vowel[0], vowel[0][:1]))
        end = vowel.end()
    heard.append(consonants(word[end:]))
    return re.sub(r"(.)\1+", r"\1", "".join(heard))
