"""The readings of a search, from the strictest to the most tolerant; the first with results answers it."""

from collections.abc import AsyncIterator
from dataclasses import replace

from search.index import Hits, Match, Period, SearchIndex, SearchRequest
from search.keyword import KeywordKind
from search.match_quality import has_consonant_key
from search.sounds import names_like

# A word that more events have in a name does not identify what was meant: searched alone, it finds strangers.
MOST_EVENTS_OF_A_WORD = 200
LEAST_LETTERS = 4


async def first_found(index: SearchIndex, request: SearchRequest) -> tuple[SearchRequest, Hits]:
    """Return the strictest reading of the request with results; its time is the time of all searches.

    Raises:
        IndexUnavailable: The index does not answer.
    """
    found: tuple[SearchRequest, Hits] | None = None
    took_ms = 0
    async for reading in _readings(index, request):
        hits = await index.search(reading)
        took_ms += hits.took_ms
        found = reading, replace(hits, took_ms=took_ms)
        if hits.total:
            break
    assert found is not None  # there is always the strictest reading
    return found


def strictest_reading(request: SearchRequest) -> SearchRequest:
    """Return the reading that is tried first."""
    return replace(request, period=_periods(request)[0], match=Match.SPELLING)


async def _readings(index: SearchIndex, request: SearchRequest) -> AsyncIterator[SearchRequest]:
    keyword = request.asked
    periods = _periods(request) if keyword.terms else _periods(request)[:1]
    for period in periods:
        yield replace(request, period=period, match=Match.SPELLING)
    if keyword.kind is not KeywordKind.WORDS:
        return
    if sounds := await _by_sound(index, request):
        for period in periods:
            yield replace(sounds, period=period)
    if rare := await _by_rare_words(index, request):
        for period in periods:
            yield replace(rare, period=period)


async def _by_sound(index: SearchIndex, request: SearchRequest) -> SearchRequest | None:
    """The request for the names that sound like the keyword; None where there are none."""
    if not has_consonant_key(request.keyword):
        return None
    names = names_like(request.keyword, await index.sound_alikes(request.keyword))
    return replace(request, match=Match.SOUND, names=names) if names else None


async def _by_rare_words(index: SearchIndex, request: SearchRequest) -> SearchRequest | None:
    """The request for those of several words that few events have in a name; None where there are none."""
    terms = request.asked.terms
    if len(terms) < 2:
        return None
    terms = tuple(term for term in terms if len("".join(term)) >= LEAST_LETTERS)
    counts = await index.frequencies(terms, MOST_EVENTS_OF_A_WORD)
    rare = tuple(
        term for term, found in zip(terms, counts, strict=False) if 0 < found <= MOST_EVENTS_OF_A_WORD
    )
    return replace(request, match=Match.ANY, terms=rare) if rare else None


def _periods(request: SearchRequest) -> list[Period]:
    if request.start:
        return [Period.ASKED]
    if request.end and request.end <= request.now:
        return [Period.PAST]
    return [Period.UPCOMING] if request.available_only else [Period.UPCOMING, Period.PAST]
