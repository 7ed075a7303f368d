"""Folding of letters: one spelling for what readers type in several ways.

Letters of Latin, Cyrillic, Greek, Armenian, Georgian and Japanese become a-z (Łódź → lodz, Ħal → hal,
ヨルシカ → yorushika). Chinese characters become the numbers of their simplified forms, two neighbours a word:
台北 finds 臺北, numbers have no typos, and neither engine splits a text by a dictionary of its own.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import opencc
from anyascii import anyascii

_FOLDED_SCRIPTS = ("LATIN ", "CYRILLIC ", "GREEK ", "ARMENIAN ", "GEORGIAN ", "HIRAGANA ", "KATAKANA")
_IDEOGRAPHS = ("CJK UNIFIED ", "CJK COMPATIBILITY ", "IDEOGRAPHIC ITERATION ", "IDEOGRAPHIC NUMBER ")
# All numbers of characters have seven digits, so that no number is a prefix of another one.
_IDEOGRAPH_NUMBERS, _FIRST_SYMBOL = range(1_000_000, 1_300_000), 3_000_000
_DIGITS = 7
_LONGEST_SYMBOL_NAME = 8
_COMBINING = re.compile(r"[\u0300-\u036f]+")
_UNSEEN = ("Zs", "Cf", "Mn")

_simplified = opencc.OpenCC("t2s").convert


def compatible(text: str) -> str:
    """The text in lower case and in Unicode's compatibility form, without combining accents."""
    if text.isascii():
        return text.lower()
    return _COMBINING.sub("", unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()))


@lru_cache(maxsize=8192)
def folded(character: str) -> str:
    """A letter's spelling; a Chinese character's has spaces around it."""
    name = unicodedata.name(character, "")
    if name.startswith(_IDEOGRAPHS):
        return f" {_IDEOGRAPH_NUMBERS.start + ord(_simplified(character)[0])} "
    if name.startswith(_FOLDED_SCRIPTS):
        return "".join(filter(str.isalnum, anyascii(character).lower()))
    return character


def is_ideographs(word: str) -> bool:
    """Whether a folded word is one Chinese character, or two neighbours."""
    whole = len(word) in (_DIGITS, 2 * _DIGITS) and word.isdecimal()
    return whole and int(word[:_DIGITS]) in _IDEOGRAPH_NUMBERS


def paired(words: Iterable[str]) -> Iterator[str]:
    """The words, with each Chinese character but the last of a row written together with the next one.

    A phrase would not do: Meilisearch finds one wherever its words are anywhere in an attribute.
    """
    before = ""
    for word in words:
        if before:
            yield before + word if is_ideographs(before) and is_ideographs(word) else before
        before = word
    if before:
        yield before


def unpaired(words: Sequence[str]) -> str:
    """The characters of neighbouring pairs, each once."""
    return "".join(word[:_DIGITS] if is_ideographs(word) else word for word in words) + (
        words[-1][_DIGITS:] if words and is_ideographs(words[-1]) else ""
    )


def symbol_name(text: str) -> str:
    """One word for a name of symbols with at most one letter (`!!!`, `-M-`); "" where it has more letters."""
    characters = [each for each in compatible(text) if unicodedata.category(each) not in _UNSEEN]
    letters = sum(map(str.isalnum, characters))
    if letters > 1 or letters == len(characters):
        return ""
    return "".join(str(_FIRST_SYMBOL + ord(character)) for character in characters[:_LONGEST_SYMBOL_NAME])
