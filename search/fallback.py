"""PostgreSQL's full-text search over the same words, for when the main index is unavailable.

A word with a typo is compared with the vocabulary of names, and the similar words are searched exactly:
the cost of a typo grows with the vocabulary, not with the number of events.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from search.fallback_query import (
    FallbackQuery,
    Venues,
    build_completion,
    build_frequencies,
    build_search,
    build_sound_alikes,
    build_venues,
)
from search.index import FACETS, Facet, Hit, Hits, Match, SearchRequest, Sort, Spellings
from search.keyword import Keyword, KeywordKind, Term, read_keyword
from search.match_quality import ONE_TYPO_FROM, has_consonant_key
from search.nearby_venues import Fetch
from search.prices import band_name
from search.sounds import names_like
from search.spelling import aliases
from search.text_query import (
    TextQuery,
    consonant_words,
    exact_words,
    fuzzy_words,
    name_queries,
    with_similar_sounds,
)

_SIMILAR = """
SELECT typed, alike.word
FROM unnest($1::text[]) AS typed
CROSS JOIN LATERAL (
    SELECT word FROM (
        SELECT word FROM search_words
        WHERE length(word) BETWEEN length(typed) - 1 AND length(typed) + 1
          AND length(typed) BETWEEN 5 AND 6 AND levenshtein_less_equal(word, typed, 1) <= 1
        UNION ALL
        SELECT word FROM search_words
        WHERE length(typed) BETWEEN 7 AND 60 AND word % typed
          AND levenshtein_less_equal(word, typed, 2) <= 2
    ) AS candidates ORDER BY levenshtein(word, typed), word LIMIT 16
) AS alike
"""


# With fewer matches by spelling than this, matches by consonants are listed behind them.
_FEW_MATCHES = 5


class DatabaseIndex:
    """Searches the documents that the indexer writes to PostgreSQL; states and prices are current."""

    def __init__(self, fetch: Fetch, *, timeout_seconds: float = 2.0) -> None:
        self._fetch = fetch
        self._timeout_seconds = timeout_seconds

    async def search(self, request: SearchRequest) -> Hits:
        """See `SearchIndex.search`; totals and facets count the first 2,000 matches of a keyword."""
        began = time.perf_counter()
        row = await self._first_match(request, await self._venues(request))
        took_ms = round((time.perf_counter() - began) * 1000)
        hits = tuple(_hit(found) for found in row["hits"] or ())
        return Hits(hits, row["total"], took_ms, _facets(row["facets"] or ()))

    async def unindexed(self, request: SearchRequest) -> tuple[Hit, ...]:
        """Matches without typos among the events with changes that are not yet indexed."""
        text = exact_words(read_keyword(request.keyword), Match.SPELLING)
        reading = replace(request, unindexed=True, match=Match.SPELLING)
        row = await self._page(reading, text, await self._venues(request))
        return tuple(_hit(found) for found in row["hits"] or ())

    async def complete(self, prefix: str, now: datetime) -> list[Hit]:
        """See `SearchIndex.complete`."""
        keyword = read_keyword(prefix)
        if not keyword.terms:
            return []
        return [_hit(row) for row in await self._run(build_completion(keyword, now))]

    async def sound_alikes(self, keyword: str) -> Spellings:
        """See `SearchIndex.sound_alikes`."""
        sounds = consonant_words(keyword)
        if sounds is None:
            return {}
        rows = await self._run(build_sound_alikes(sounds))
        return {row["name"]: aliases(row["name"], row["bio"]) for row in rows}

    async def frequencies(self, terms: Sequence[Term], most: int) -> Sequence[int]:
        """See `SearchIndex.frequencies`."""
        keyword = Keyword(KeywordKind.WORDS, tuple(terms))
        counts = await self._counts(name_queries(keyword, {}), most)
        if unknown := [term[0] for term, found in zip(keyword.terms, counts, strict=True) if not found]:
            similar = await self._similar(unknown)
            counts = await self._counts(name_queries(keyword, similar), most) if similar else counts
        return counts

    async def close(self) -> None:
        """Nothing to close: the pool belongs to the database."""

    async def _first_match(self, request: SearchRequest, at: Venues) -> Any:
        """The row of the strictest query with matches, or of the last query."""
        if request.match is Match.SOUND:
            return await self._page(request, consonant_words(request.keyword), at)
        keyword = request.asked
        spelt = exact_words(keyword, request.match)
        row = await self._page(request, spelt, at)
        if spelt is None or keyword.kind is not KeywordKind.WORDS or row["total"] >= _FEW_MATCHES:
            return row
        if row["total"]:
            return await self._with_sound_alikes(request, spelt, at) or row
        similar = await self._similar(keyword.words)
        if not similar:
            return row
        return await self._page(request, fuzzy_words(keyword, similar, request.match), at)

    async def _with_sound_alikes(self, request: SearchRequest, spelt: TextQuery, at: Venues) -> Any:
        """The matches, and behind them names that sound like the keyword; None where there are none."""
        if not _adds_sounds(request) or (sounds := consonant_words(request.keyword)) is None:
            return None
        names = names_like(request.keyword, await self.sound_alikes(request.keyword))
        if not names:
            return None
        return await self._page(replace(request, names=names), with_similar_sounds(spelt, sounds), at)

    async def _counts(self, texts: Sequence[str], most: int) -> list[int]:
        return [row["found"] for row in await self._run(build_frequencies(texts, most))]

    async def _page(self, request: SearchRequest, text: TextQuery | None, at: Venues) -> Any:
        rows = await self._run(build_search(request, text, at))
        return rows[0]

    async def _venues(self, request: SearchRequest) -> Venues:
        asked = build_venues(request)
        return None if asked is None else [row["id"] for row in await self._run(asked)]

    async def _similar(self, words: list[str]) -> dict[str, list[str]]:
        """For each of these words, unless it is short, the known words within one or two edits."""
        similar: dict[str, list[str]] = {}
        if words := [word for word in words if len(word) >= ONE_TYPO_FROM]:
            for row in await self._run(FallbackQuery(_SIMILAR, (words,))):
                similar.setdefault(row["typed"], []).append(row["word"])
        return similar

    async def _run(self, query: FallbackQuery) -> list[Any]:
        return await self._fetch(query.statement, query.arguments, self._timeout_seconds)


def _adds_sounds(request: SearchRequest) -> bool:
    """Whether results are sorted by relevance, and the keyword has enough consonants."""
    by_spelling = request.match is Match.SPELLING and request.sort is Sort.RELEVANCE
    return by_spelling and has_consonant_key(request.keyword)


def _hit(row: Any) -> Hit:
    event_id = row["id"] if isinstance(row["id"], UUID) else UUID(row["id"])
    starts_at = datetime.fromtimestamp(row["starts_at"], UTC)
    return Hit(event_id, row["name"], tuple(row["performers"]), row["venue"], row["city"], starts_at)


def _facets(counts: Iterable[tuple[str, str, int]]) -> tuple[Facet, ...]:
    buckets: dict[str, list[tuple[str, int]]] = {field: [] for field in FACETS}
    for field, value, count in counts:
        buckets[field].append((_band(value) if field == "priceBand" else value, count))
    return tuple(Facet(field, tuple(found)) for field, found in buckets.items())


def _band(value: str) -> str:
    currency, _, number = value.partition(" ")
    return band_name(currency, int(number))
