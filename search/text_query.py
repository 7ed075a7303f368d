"""PostgreSQL's tsquery texts for a keyword."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search.index import Match
from search.keyword import Keyword, KeywordKind
from search.spelling import consonant_key
from search.synonyms import synonyms

# The weights of names: performers, event, venue and city (`search.documents.text_vector`).
NAME_WEIGHTS = "ABC"
_SYNONYMS = synonyms()
_LONGEST_WORD = 60
# Shorter words that are not the last one are typed to their end.
_SHORTEST_BEGINNING = 3
Similar = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class TextQuery:
    """The condition of a match, and of the matches that come first and second; tsquery texts."""

    wanted: str
    exact: str
    spelt: str = ""


def exact_words(keyword: Keyword, match: Match) -> TextQuery | None:
    """The words as typed, as prefixes, and their synonyms; None where nothing is typed."""
    return fuzzy_words(keyword, {}, match)


def fuzzy_words(keyword: Keyword, similar: Similar, match: Match) -> TextQuery | None:
    """The same, and similar words of the vocabulary."""
    if not keyword.terms:
        return None
    if keyword.kind is KeywordKind.NAME:
        phrase = _phrase(keyword.words, NAME_WEIGHTS)
        return TextQuery(phrase, phrase)
    if keyword.kind is KeywordKind.INITIALS:
        return _initials(keyword.words)
    weights = NAME_WEIGHTS if match is Match.ANY else ""
    wanted = (" | " if match is Match.ANY else " & ").join(
        f"({_choice(term, similar, weights, last=term == keyword.terms[-1])})" for term in keyword.terms
    )
    together = "".join(keyword.words)
    if len(keyword.terms) > 1 and len(together) <= _LONGEST_WORD:
        wanted = f"({wanted}) | {_quoted(together, weights)}"
    return TextQuery(wanted, " & ".join(_phrase(term) for term in keyword.terms))


def consonant_words(text: str) -> TextQuery | None:
    """The words by their consonant keys, each word or all as one."""
    keys = consonant_key(text).split()
    if not keys:
        return None
    each = " & ".join(_quoted(f"~{key}") for key in keys)
    whole = _quoted(f"~{''.join(keys)}")
    return TextQuery(f"({each}) | {whole}", whole)


def with_similar_sounds(spelt: TextQuery, sounds: TextQuery) -> TextQuery:
    """Matches by spelling, followed by matches by consonants."""
    return TextQuery(f"({spelt.wanted}) | ({sounds.wanted})", spelt.exact, spelt.wanted)


def name_queries(keyword: Keyword, similar: Similar) -> list[str]:
    """Each term of the keyword, in a name."""
    return [_choice(term, similar, NAME_WEIGHTS, last=term == keyword.terms[-1]) for term in keyword.terms]


def completion_queries(keyword: Keyword) -> list[str]:
    """All words in one kind of name, a query for each kind; the last word may be incomplete."""
    if keyword.kind is KeywordKind.INITIALS:
        return [_initials(keyword.words).wanted]
    queries = []
    for weight in NAME_WEIGHTS:
        finished = [_phrase(term, weight) for term in keyword.terms[:-1]]
        last = keyword.terms[-1]
        begun = _phrase(last, weight) if len(last) > 1 else _quoted(last[0], f"*{weight}")
        queries.append(" & ".join([*finished, begun]))
    return queries


def _initials(words: Sequence[str]) -> TextQuery:
    """Initials of words, or of a name that was typed with spaces."""
    each = " & ".join(_quoted(f"^{word}", "*") for word in words)
    together = "^" + "".join(words)
    return TextQuery(f"({each}) | {_quoted(together, '*')}", _quoted(together))


def _choice(term: Sequence[str], similar: Similar, weights: str, *, last: bool) -> str:
    if len(term) > 1:
        return _phrase(term, weights)
    word = term[0]
    begins = last or len(word) >= _SHORTEST_BEGINNING
    choices = [_quoted(word, ("*" if begins else "") + weights)]
    others = [*similar.get(word, []), *_SYNONYMS.get(word, [])]
    return " | ".join([*choices, *(_quoted(other, weights) for other in others if other != word)])


def _phrase(words: Sequence[str], weights: str = "") -> str:
    joined = " <-> ".join(_quoted(word, weights) for word in words)
    return f"({joined})" if len(words) > 1 else joined


def _quoted(word: str, mark: str = "") -> str:
    """A word of the query. It has neither quotes nor backslashes: romanising removes them."""
    return f"'{word}':{mark}" if mark else f"'{word}'"
