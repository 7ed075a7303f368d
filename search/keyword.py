"""What a typed keyword asks for: words, a name that has no words of its own, or initial consonants."""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import groupby

from search.folding import is_ideographs, symbol_name
from search.initials import typed_initials
from search.spelling import romanised
from search.synonyms import TRADE_WORDS

# Words that nearly every text has: a keyword of these alone is a name, such as The The.
_STOP_WORDS = frozenset("a an and at by for from in is it of on or the to with".split())


# A word, or the words of a phrase.
Term = tuple[str, ...]


class KeywordKind(StrEnum):
    """How a keyword is searched."""

    WORDS = "WORDS"  # words, with typos; the last one may be incomplete
    NAME = "NAME"  # exactly this word, in names alone
    INITIALS = "INITIALS"  # initial consonants of Korean names


@dataclass(frozen=True, slots=True)
class Keyword:
    """A keyword as the engines search it."""

    kind: KeywordKind
    terms: tuple[Term, ...]

    @property
    def words(self) -> list[str]:
        """The words of all terms."""
        return [word for term in self.terms for word in term]


@lru_cache(maxsize=4096)
def read_keyword(text: str) -> Keyword:
    """The keyword of a typed text; without terms where nothing is typed."""
    if name := wordless_name(text):
        return Keyword(KeywordKind.NAME, ((name,),))
    text = unicodedata.normalize("NFC", text)
    if consonants := typed_initials(text):
        return Keyword(KeywordKind.INITIALS, tuple((word,) for word in consonants))
    typed = with_trade_words_apart(text)
    words = romanised(typed).split()
    if any(map(is_ideographs, words)):
        return Keyword(KeywordKind.WORDS, tuple(term for part in typed.split() for term in _terms(part)))
    return Keyword(KeywordKind.WORDS, tuple((word,) for word in words))


@lru_cache(maxsize=32_768)
def wordless_name(text: str) -> str:
    """One word for a name that has no words of its own (`!!!`, `-M-`, `The The`); "" for any other.

    Not a phrase: Meilisearch finds one wherever its words are anywhere in an attribute.
    """
    if symbols := symbol_name(text):
        return symbols
    words = romanised(text).split()
    return "".join(words) if len(words) > 1 and _STOP_WORDS.issuperset(words) else ""


def with_trade_words_apart(text: str) -> str:
    """The text with a space before each trade word that ends a word: 검정치마콘서트 → 검정치마 콘서트."""
    return " ".join(part for word in text.split() for part in _apart(word))


def _apart(word: str) -> list[str]:
    for trade in TRADE_WORDS:
        if word.endswith(trade) and len(word) >= len(trade) + 2:
            return [*_apart(word.removesuffix(trade)), trade]
    return [word]


def _terms(word: str) -> list[Term]:
    """The parts of one typed word. A row of Chinese characters is a phrase of its pairs."""
    found: list[Term] = []
    for ideographs, run in groupby(romanised(word).split(), is_ideographs):
        words = tuple(run)
        found.extend([words[:-1] or words] if ideographs else [(each,) for each in words])
    return found
