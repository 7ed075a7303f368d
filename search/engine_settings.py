"""Meilisearch's settings as code; a change of anything here rebuilds the index at the next start."""

import hashlib
from typing import Any

import orjson

from search.index import MOST_PLACES
from search.synonyms import synonyms

# Raise it when `search.documents.index_document` writes something else than before.
DOCUMENT_VERSION = 3

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
# What is completed, and by which attribute each text counts once: names of events are too many for that.
COMPLETED: dict[str, str | None] = {
    "words.performers": "performers",
    "words.venue": "venue",
    "words.city": "city",
    "words.name": None,
}
SHOWN = ("id", "name", "performers", "venue", "city", "starts_at")

SETTINGS: dict[str, Any] = {
    "searchableAttributes": [*LETTER_ATTRIBUTES, *SHAPE_ATTRIBUTES],
    "displayedAttributes": [*SHOWN, "venue_id"],
    "filterableAttributes": [
        "available",
        "category",
        "city",
        "month",
        "off_sale_at",
        "performers",
        "price_band",
        "price_from",
        "starts_at",
        "until",
        "venue",
        "venue_id",
    ],
    "sortableAttributes": ["price_from", "starts_at"],
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
    "faceting": {"maxValuesPerFacet": MOST_PLACES, "sortFacetValuesBy": {"*": "count"}},
    "pagination": {"maxTotalHits": 10_000_000},
    "facetSearch": False,
    "searchCutoffMs": 350,
}


def fingerprint() -> str:
    """Names this version of settings and documents."""
    text = orjson.dumps([DOCUMENT_VERSION, SETTINGS], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:16]
