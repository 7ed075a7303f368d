"""Initial consonants, as Koreans abbreviate names: ㄱㅈㅊㅁ is 검정치마.

A consonant is written as two digits: numbers have no typos, and a half-typed name is a prefix.
"""

import re
import unicodedata
from functools import lru_cache

_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
# A Korean keyboard joins two consonants in a row to one letter where a syllable can end in it.
_CLUSTERS = str.maketrans(
    {"ㄳ": "ㄱㅅ", "ㄵ": "ㄴㅈ", "ㄶ": "ㄴㅎ", "ㄺ": "ㄹㄱ", "ㄻ": "ㄹㅁ", "ㄼ": "ㄹㅂ"}
    | {"ㄽ": "ㄹㅅ", "ㄾ": "ㄹㅌ", "ㄿ": "ㄹㅍ", "ㅀ": "ㄹㅎ", "ㅄ": "ㅂㅅ"}
)
_TYPED = re.compile(r"[ㄱ-ㅎ]+")
_WORD = re.compile(r"[가-힣ㄱ-ㅎ]+")
_FIRST_SYLLABLE, _SYLLABLES_OF_INITIAL = 0xAC00, 588
_FIRST_CODE = 10
_LONGEST_NAME = 20


def typed_initials(text: str) -> list[str]:
    """The words of a text of nothing but consonants, coded; none where it has anything else."""
    words = text.translate(_CLUSTERS).split()
    return [_coded(word) for word in words] if all(map(_TYPED.fullmatch, words)) else []


@lru_cache(maxsize=32_768)
def initials(name: str) -> tuple[str, ...]:
    """The coded initials of a name's Korean words, and of all of them written together."""
    words = _WORD.findall(unicodedata.normalize("NFC", name).translate(_CLUSTERS))
    found = [_coded(word) for word in words if len(word) > 1]
    whole = "".join(words)
    if len(words) > 1 and len(whole) <= _LONGEST_NAME:
        found.append(_coded(whole))
    return tuple(found)


def _coded(word: str) -> str:
    return "".join(map(_code, word))


def _code(character: str) -> str:
    number = _INITIALS.find(character)
    if number < 0:
        number = (ord(character) - _FIRST_SYLLABLE) // _SYLLABLES_OF_INITIAL
    return str(_FIRST_CODE + number)
