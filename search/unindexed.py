"""Changes not yet indexed: the first page takes them from the database and puts them where they belong."""

from collections.abc import Sequence
from dataclasses import replace

from search.index import Hit, Hits, SearchRequest, Sort
from search.keyword import read_keyword
from search.match_quality import match_quality


def can_place_unindexed(request: SearchRequest) -> bool:
    """Whether the position of an event on this page is known without the index.

    It is on the first page, by relevance or by start.
    """
    return request.page_num == 1 and request.sort in (Sort.RELEVANCE, Sort.STARTS_AT)


def with_unindexed(request: SearchRequest, found: Hits, unindexed: Sequence[Hit]) -> Hits:
    """The index's answer together with events that changed since and match without typos.

    The total may be wrong by the number of unindexed events; the facets are the index's.
    """
    known = {hit.event_id for hit in unindexed}
    kept = [hit for hit in found.hits if hit.event_id not in known]
    if read_keyword(request.keyword).terms and request.sort is Sort.RELEVANCE:
        position = _first_with_typos(request.keyword, kept)
        merged = [*kept[:position], *unindexed, *kept[position:]]
    else:
        merged = sorted([*kept, *unindexed], key=lambda hit: hit.starts_at)
    new = len(unindexed) - (len(found.hits) - len(kept))
    return replace(found, hits=tuple(merged[: request.page_size]), total=found.total + new)


def _first_with_typos(keyword: str, hits: Sequence[Hit]) -> int:
    """The position of the first hit that does not have every word as it was typed."""
    for position, hit in enumerate(hits):
        if match_quality(keyword, " ".join([hit.name, *hit.performers, hit.venue, hit.city])) != 0:
            return position
    return len(hits)
