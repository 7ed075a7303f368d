"""Meilisearch's settings as code. A change of anything here rebuilds the index at the next start."""

import hashlib
from typing import Any

import orjson

from search.index import MOST_NEARBY_VENUES
from search.synonyms import synonyms

# Raise it when `search.documents.index_document` changes what it writes.
DOCUMENT_VERSION = 4

# In order of their weight: a performer's name counts more than a title, a title more than a venue.
TEXT_ATTRIBUTES = (
    "words.performers",
    "words.name",
    "words.venue",
    "words.city",
    "words.rest",
    "words.description",
)
CONSONANT_KEY_ATTRIBUTES = ("words.consonant_keys",)
# The completed attributes, and the attribute by which each text counts once (too costly for event names).
COMPLETED: dict[str, str | None] = {
    "words.performers": "performers",
    "words.venue": "venue",
    "words.city": "city",
    "words.name": None,
}
SHOWN = ("id", "name", "performers", "venue", "city", "starts_at")

SETTINGS: dict[str, Any] = {
    "searchableAttributes": [*TEXT_ATTRIBUTES, *CONSONANT_KEY_ATTRIBUTES],
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
    # A requested sort comes first; without one, the best match, then the soonest event.
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
    # Hangul is already romanised (search.spelling), so no dictionary has to split it.
    "localizedAttributes": [{"attributePatterns": ["words.*"], "locales": ["eng"]}],
    "proximityPrecision": "byAttribute",
    "faceting": {"maxValuesPerFacet": MOST_NEARBY_VENUES, "sortFacetValuesBy": {"*": "count"}},
    "pagination": {"maxTotalHits": 10_000_000},
    "facetSearch": False,
    "searchCutoffMs": 350,
}


def fingerprint() -> str:
    """The version of settings and documents, as 16 hexadecimal digits."""
    text = orjson.dumps([DOCUMENT_VERSION, SETTINGS], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:16]
