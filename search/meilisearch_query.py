"""The bodies of Meilisearch's queries."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.ids import Kind, public_id
from search.engine_settings import (
    COMPLETED,
    CONSONANT_KEY_ATTRIBUTES,
    INITIAL_ATTRIBUTES,
    NAME_ATTRIBUTES,
    NAMES,
    SHOWN,
    TEXT_ATTRIBUTES,
)
from search.index import MOST_SOUND_ALIKES, Match, Period, SearchRequest, Sort
from search.keyword import Keyword, KeywordKind, Term, read_keyword
from search.nearby_venues import Share
from search.prices import bands_of
from search.spelling import consonant_key

FACET_ATTRIBUTES = {
    "city": "city",
    "category": "category",
    "month": "month",
    "priceBand": "price_band",
}


def search_body(request: SearchRequest, venues: Sequence[UUID] | None = None) -> dict[str, Any]:
    """The body of a search; `venues` are those within the requested radius."""
    body = _query(request, venues) | {
        "page": request.page_num,
        "hitsPerPage": request.page_size,
        "facets": list(FACET_ATTRIBUTES.values()),
    }
    sort = _sort(request, has_words=bool(body["q"]))
    return body | ({"sort": sort} if sort else {})


def count_body(request: SearchRequest, venues: Sequence[UUID]) -> dict[str, Any]:
    """A search that returns no hits but their number for each venue."""
    facets = [*FACET_ATTRIBUTES.values(), "venue_id"]
    return _query(request, venues) | {"page": 1, "hitsPerPage": 0, "facets": facets}


def share_bodies(
    uid: str, request: SearchRequest, shares: Sequence[Share]
) -> list[tuple[dict[str, Any], Sequence[Share]]]:
    """The queries for a page that is sorted by distance, with the shares that each covers.

    Only the first group of venues skips events (those of earlier pages), and only the last one has more
    than the page needs. The groups between them are few events and share one query.
    """
    firsts, rest = shares[:1], shares[1:]
    groups = [group for group in (firsts, rest[:-1], rest[-1:]) if group]
    return [(_share_body(uid, request, group), group) for group in groups]


def _share_body(uid: str, request: SearchRequest, shares: Sequence[Share]) -> dict[str, Any]:
    venues = [venue for share in shares for venue in share.venues]
    return _query(request, venues) | {
        "indexUid": uid,
        "offset": sum(share.skipped for share in shares),
        "limit": sum(share.taken for share in shares),
        "sort": [_by_start(request)],
        "attributesToRetrieve": [*SHOWN, "venue_id"],
    }


def completion_bodies(uid: str, prefix: str, now: datetime, most: int = 20) -> list[dict[str, Any]]:
    """One query for each kind of name; event names are not distinct, so that query asks for more."""
    keyword = read_keyword(prefix)
    by_initials = keyword.kind is KeywordKind.INITIALS
    return [
        {
            "indexUid": uid,
            "q": _typed(keyword),
            "attributesToSearchOn": list(INITIAL_ATTRIBUTES) if by_initials else [attribute],
            "matchingStrategy": "all",
            "filter": [f"until > {int(now.timestamp())}"],
            "limit": most if distinct else 3 * most,
            "attributesToRetrieve": list(SHOWN),
            **({"distinct": distinct} if distinct else {}),
        }
        for attribute, distinct in COMPLETED.items()
    ]


def sound_alike_bodies(uid: str, keyword: str) -> list[dict[str, Any]]:
    """The queries for names with exactly these consonants: of all words together, and of each."""
    keys = consonant_key(keyword).split()
    asked = dict.fromkeys([_phrase(["".join(keys)]), " ".join(_phrase([key]) for key in keys)])
    return [
        {
            "indexUid": uid,
            "q": typed,
            "attributesToSearchOn": list(CONSONANT_KEY_ATTRIBUTES),
            "matchingStrategy": "all",
            "limit": MOST_SOUND_ALIKES,
            "attributesToRetrieve": list(NAMES),
        }
        for typed in asked
    ]


def frequency_bodies(uid: str, terms: Sequence[Term]) -> list[dict[str, Any]]:
    """The queries that count the events with each term in a name."""
    return [
        {
            "indexUid": uid,
            "q": _typed(Keyword(KeywordKind.WORDS, (term,))),
            "attributesToSearchOn": list(NAME_ATTRIBUTES),
            "matchingStrategy": "all",
            "page": 1,
            "hitsPerPage": 0,
        }
        for term in terms
    ]


def _query(request: SearchRequest, venues: Sequence[UUID] | None) -> dict[str, Any]:
    keyword = request.asked
    return {
        # Names that sound like the keyword are a filter.
        "q": "" if request.match is Match.SOUND else _typed(keyword),
        "attributesToSearchOn": list(_attributes(keyword, request.match)),
        "matchingStrategy": "frequency" if request.match is Match.ANY else "all",
        "filter": list(_filters(request, venues)),
        "attributesToRetrieve": list(SHOWN),
    }


def _attributes(keyword: Keyword, match: Match) -> Sequence[str]:
    if keyword.kind is KeywordKind.INITIALS:
        return INITIAL_ATTRIBUTES
    return NAME_ATTRIBUTES if keyword.kind is KeywordKind.NAME or match is Match.ANY else TEXT_ATTRIBUTES


def _typed(keyword: Keyword) -> str:
    """The text for the engine. In quotation marks words have no typos, are whole, and follow one another."""
    exact = keyword.kind is KeywordKind.NAME
    return " ".join(_phrase(term) if exact or len(term) > 1 else term[0] for term in keyword.terms)


def _phrase(words: Sequence[str]) -> str:
    return f'"{" ".join(words)}"'


def _filters(request: SearchRequest, venues: Sequence[UUID] | None) -> Iterator[str]:
    now = int(request.now.timestamp())
    if request.period is Period.ASKED and request.start is not None:
        yield f"until > {request.start.timestamp()}"
    elif request.period is Period.PAST:
        yield f"until <= {now}"
    else:
        yield f"until > {now}"
    if request.end is not None:
        yield f"starts_at < {request.end.timestamp()}"
    if request.city is not None:
        yield f"city = {_quoted(request.city)}"
    if request.category is not None:
        yield f"category = {_quoted(request.category)}"
    if request.price_max is not None:
        yield f"price_from <= {request.price_max}"
    if request.currency is not None:
        yield f"price_band IN [{', '.join(map(_quoted, bands_of(request.currency)))}]"
    if request.available_only:
        yield f"available = true AND (off_sale_at IS NULL OR off_sale_at > {now})"
    for names in request.names:
        wanted = ", ".join(map(_quoted, names))
        yield " OR ".join(f"{attribute} IN [{wanted}]" for attribute in ("performers", "venue", "city"))
    if venues is not None:
        yield f"venue_id IN [{', '.join(public_id(Kind.VENUE, venue) for venue in venues)}]"


def _sort(request: SearchRequest, *, has_words: bool) -> list[str]:
    if request.sort is Sort.PRICE:
        return ["price_from:asc", _by_start(request)]
    return [] if has_words and request.sort is Sort.RELEVANCE else [_by_start(request)]


def _by_start(request: SearchRequest) -> str:
    """Past events are sorted from the latest to the earliest."""
    return "starts_at:desc" if request.period is Period.PAST else "starts_at:asc"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
