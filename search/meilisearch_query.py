"""Requests put into Meilisearch's terms."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.ids import Kind, public_id
from search.engine_settings import COMPLETED, LETTER_ATTRIBUTES, SHAPE_ATTRIBUTES, SHOWN
from search.index import Match, Period, SearchRequest, Sort
from search.places import Share
from search.prices import bands_of
from search.spelling import letters, skeleton

FACET_ATTRIBUTES = {
    "city": "city",
    "category": "category",
    "month": "month",
    "priceBand": "price_band",
}


def search_body(request: SearchRequest, venues: Sequence[UUID] | None = None) -> dict[str, Any]:
    """What is posted to an index's search; `venues` are those around the place that was asked for."""
    body = _question(request, venues) | {
        "page": request.page_num,
        "hitsPerPage": request.page_size,
        "facets": list(FACET_ATTRIBUTES.values()),
    }
    sort = _sort(request, has_words=bool(body["q"]))
    return body | ({"sort": sort} if sort else {})


def count_body(request: SearchRequest, venues: Sequence[UUID]) -> dict[str, Any]:
    """No hits, but how many each of the venues has."""
    facets = [*FACET_ATTRIBUTES.values(), "venue_id"]
    return _question(request, venues) | {"page": 1, "hitsPerPage": 0, "facets": facets}


def share_bodies(
    uid: str, request: SearchRequest, shares: Sequence[Share]
) -> list[tuple[dict[str, Any], Sequence[Share]]]:
    """The questions for a page that is sorted by distance, with the shares that each is about.

    Every place but the last gives all it has, and but for what earlier pages had of the first: what lies
    between those two is few events, asked for at once.
    """
    firsts, rest = shares[:1], shares[1:]
    asked = [group for group in (firsts, rest[:-1], rest[-1:]) if group]
    return [(_share_body(uid, request, group), group) for group in asked]


def _share_body(uid: str, request: SearchRequest, shares: Sequence[Share]) -> dict[str, Any]:
    venues = [venue for share in shares for venue in share.venues]
    return _question(request, venues) | {
        "indexUid": uid,
        "offset": sum(share.skipped for share in shares),
        "limit": sum(share.taken for share in shares),
        "sort": [_by_start(request)],
        "attributesToRetrieve": [*SHOWN, "venue_id"],
    }


def completion_bodies(uid: str, prefix: str, now: datetime, most: int = 20) -> list[dict[str, Any]]:
    """One query for each kind of name; a name that cannot be counted once may fill many places."""
    return [
        {
            "indexUid": uid,
            "q": letters(prefix),
            "attributesToSearchOn": [attribute],
            "matchingStrategy": "all",
            "filter": [f"until > {int(now.timestamp())}"],
            "limit": most if distinct else 3 * most,
            "attributesToRetrieve": list(SHOWN),
            **({"distinct": distinct} if distinct else {}),
        }
        for attribute, distinct in COMPLETED.items()
    ]


def _question(request: SearchRequest, venues: Sequence[UUID] | None) -> dict[str, Any]:
    shapes = request.match is Match.SHAPES
    return {
        "q": skeleton(request.keyword) if shapes else letters(request.keyword),
        "attributesToSearchOn": list(SHAPE_ATTRIBUTES if shapes else LETTER_ATTRIBUTES),
        "matchingStrategy": "frequency" if request.match is Match.ANY else "all",
        "filter": list(_filters(request, venues)),
        "attributesToRetrieve": list(SHOWN),
    }


def _filters(request: SearchRequest, venues: Sequence[UUID] | None) -> Iterator[str]:
    now = int(request.now.timestamp())
    if request.period is Period.ASKED and request.start is not None:
        yield f"starts_at >= {request.start.timestamp()}"
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
    if venues is not None:
        yield f"venue_id IN [{', '.join(public_id(Kind.VENUE, venue) for venue in venues)}]"


def _sort(request: SearchRequest, *, has_words: bool) -> list[str]:
    if request.sort is Sort.PRICE:
        return ["price_from:asc", _by_start(request)]
    return [] if has_words and request.sort is Sort.RELEVANCE else [_by_start(request)]


def _by_start(request: SearchRequest) -> str:
    """What is over is listed from the latest back."""
    return "starts_at:desc" if request.period is Period.PAST else "starts_at:asc"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
