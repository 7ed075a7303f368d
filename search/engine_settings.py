"""Meilisearch's settings as code. A change of anything here rebuilds the index at the next start."""

import hashlib
from typing import Any

import orjson

from search.index import MOST_NEARBY_VENUES
from search.match_quality import ONE_TYPO_FROM, TWO_TYPOS_FROM
from search.synonyms import synonyms

# Raise it when `search.documents` changes what it writes, for either engine.
DOCUMENT_VERSION = 6

# In order of their weight: a performer's name counts more than a title, a title more than a venue.
TEXT_ATTRIBUTES = (
    "words.performers",
    "words.name",
    "words.venue",
    "words.city",
    "words.rest",
    "words.description",
)
# A name is a performer's, an event's or a venue's.
NAME_ATTRIBUTES = TEXT_ATTRIBUTES[:3]
CONSONANT_KEY_ATTRIBUTES = ("words.consonant_keys",)
INITIAL_ATTRIBUTES = ("words.initials",)
# The completed attributes, and the attribute by which each text counts once (too costly for event names).
COMPLETED: dict[str, str | None] = {
    "words.performers": "performers",
    "words.venue": "venue",
    "words.city": "city",
    "words.name": None,
}
SHOWN = ("id", "name", "performers", "venue", "city", "starts_at")
# A name of an event with its other spellings; those of a performer are in the order of `performers`.
NAMES = ("performers", "spellings", "venue", "city")

SETTINGS: dict[str, Any] = {
    "searchableAttributes": [*TEXT_ATTRIBUTES, *CONSONANT_KEY_ATTRIBUTES, *INITIAL_ATTRIBUTES],
    "displayedAttributes": [*SHOWN, "spellings", "venue_id"],
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
    # A requested sort comes first; without one, the best match, then the soonest event. A city with the typed
    # word comes before a performer with a word that only begins so.
    "rankingRules": [
        "sort",
        "words",
        "typo",
        "proximity",
        "exactness",
        "attribute",
        "starts_at:asc",
    ],
    "typoTolerance": {
        "enabled": True,
        "minWordSizeForTypos": {"oneTypo": ONE_TYPO_FROM, "twoTypos": TWO_TYPOS_FROM},
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
