"""Changes that the main index does not show yet: found in the database, put where they belong."""

from collections.abc import Sequence
from dataclasses import replace

from search.closeness import closeness
from search.index import Hit, Hits, SearchRequest, Sort
from search.spelling import letters


def may_have_latecomers(request: SearchRequest) -> bool:
    """Whether the place of an event on this page can be told without asking the index: the first page,
    by relevance or by start."""
    return request.page_num == 1 and request.sort in (Sort.RELEVANCE, Sort.STARTS_AT)


def with_latecomers(request: SearchRequest, found: Hits, late: Sequence[Hit]) -> Hits:
    """The index's answer with events that changed since; they match as typed.

    Totals are right to within the latecomers, facets are the index's.
    """
    known = {hit.event_id for hit in late}
    kept = [hit for hit in found.hits if hit.event_id not in known]
    if letters(request.keyword) and request.sort is Sort.RELEVANCE:
        place = _first_mistyped(request.keyword, kept)
        merged = [*kept[:place], *late, *kept[place:]]
    else:
        merged = sorted([*kept, *late], key=lambda hit: hit.starts_at)
    new = len(late) - (len(found.hits) - len(kept))
    return replace(found, hits=tuple(merged[: request.page_size]), total=found.total + new)


def _first_mistyped(keyword: str, hits: Sequence[Hit]) -> int:
    """How many hits at the beginning show every word as it was typed."""
    for number, hit in enumerate(hits):
        if closeness(keyword, " ".join([hit.name, *hit.performers, hit.venue, hit.city])) != 0:
            return number
    return len(hits)
