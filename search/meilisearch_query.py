"""Requests put into Meilisearch's terms."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from search.engine_settings import COMPLETED, LETTER_ATTRIBUTES, SHAPE_ATTRIBUTES, SHOWN
from search.index import Match, Period, SearchRequest, Sort
from search.spelling import letters, skeleton

FACET_ATTRIBUTES = {
    "city": "city",
    "category": "category",
    "month": "month",
    "priceBand": "price_band",
}


def search_body(request: SearchRequest) -> dict[str, Any]:
    """What is posted to an index's search."""
    shapes = request.match is Match.SHAPES
    body: dict[str, Any] = {
        "q": skeleton(request.keyword) if shapes else letters(request.keyword),
        "attributesToSearchOn": list(SHAPE_ATTRIBUTES if shapes else LETTER_ATTRIBUTES),
        "matchingStrategy": "frequency" if request.match is Match.ANY else "all",
        "page": request.page_num,
        "hitsPerPage": request.page_size,
        "filter": list(_filters(request)),
        "facets": list(FACET_ATTRIBUTES.values()),
        "attributesToRetrieve": list(SHOWN),
    }
    sort = _sort(request, has_words=bool(body["q"]))
    return body | ({"sort": sort} if sort else {})


def completion_bodies(uid: str, prefix: str, now: datetime, most: int = 20) -> list[dict[str, Any]]:
    """One query for each kind of name, each name once."""
    return [
        {
            "indexUid": uid,
            "q": letters(prefix),
            "attributesToSearchOn": [attribute],
            "matchingStrategy": "all",
            "filter": [f"until > {int(now.timestamp())}"],
            "distinct": distinct,
            "limit": most,
            "attributesToRetrieve": list(SHOWN),
        }
        for distinct, attribute in COMPLETED.items()
    ]


def _filters(request: SearchRequest) -> Iterator[str]:
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
    if request.available_only:
        yield f"available = true AND (off_sale_at IS NULL OR off_sale_at > {now})"
    if request.near is not None:
        near = request.near
        yield f"_geoRadius({near.lat:.7f}, {near.lng:.7f}, {near.radius_km * 1000:.0f})"


def _sort(request: SearchRequest, *, has_words: bool) -> list[str]:
    by_start = "starts_at:desc" if request.period is Period.PAST else "starts_at:asc"
    if request.sort is Sort.PRICE:
        return ["price_from:asc", by_start]
    if request.sort is Sort.DISTANCE and request.near is not None:
        return [f"_geoPoint({request.near.lat:.7f}, {request.near.lng:.7f}):asc", by_start]
    return [] if has_words and request.sort is Sort.RELEVANCE else [by_start]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
