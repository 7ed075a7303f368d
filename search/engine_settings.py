"""Meilisearch's settings as code; a change of anything here rebuilds the index at the next start."""

import hashlib
from typing import Any

import orjson

from search.index import MOST_BUCKETS
from search.synonyms import synonyms

# Raise it when `search.documents.index_document` writes something else than before.
DOCUMENT_VERSION = 2

# The order is a rank: a performer's name counts more than a title, a title more than a place.
LETTER_ATTRIBUTES = (
    "words.performers",
    "words.name",
    "words.venue",
    "words.city",
    "words.rest",
    "words.description",
)
SHAPE_ATTRIBUTES = ("words.shapes",)
COMPLETED = {
    "performers": "words.performers",
    "venue": "words.venue",
    "city": "words.city",
    "name": "words.name",
}
SHOWN = ("id", "name", "performers", "venue", "city")

SETTINGS: dict[str, Any] = {
    "searchableAttributes": [*LETTER_ATTRIBUTES, *SHAPE_ATTRIBUTES],
    "displayedAttributes": list(SHOWN),
    "filterableAttributes": [
        "_geo",
        "available",
        "category",
        "city",
        "month",
        "name",
        "off_sale_at",
        "performers",
        "price_band",
        "price_from",
        "starts_at",
        "until",
        "venue",
    ],
    "sortableAttributes": ["_geo", "price_from", "starts_at"],
    # A sort that was asked for comes first; without one, the best match, then the soonest.
    "rankingRules": [
        "sort",
        "words",
        "typo",
        "proximity",
        "attribute",
        "exactness",
        "starts_at:asc",
    ],
    "typoTolerance": {
        "enabled": True,
        "minWordSizeForTypos": {"oneTypo": 4, "twoTypos": 8},
        "disableOnNumbers": True,
    },
    "synonyms": synonyms(),
    # Hangul is already written in Latin letters (search.spelling), so no dictionary has to split it.
    "localizedAttributes": [{"attributePatterns": ["words.*"], "locales": ["eng"]}],
    "proximityPrecision": "byAttribute",
    "faceting": {"maxValuesPerFacet": MOST_BUCKETS, "sortFacetValuesBy": {"*": "count"}},
    "pagination": {"maxTotalHits": 10_000_000},
    "facetSearch": False,
    "searchCutoffMs": 350,
}


def fingerprint() -> str:
    """Names this version of settings and documents."""
    text = orjson.dumps([DOCUMENT_VERSION, SETTINGS], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:16]
