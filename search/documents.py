"""The search documents of an event, for both engines."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.ids import Kind, public_id
from domain.states import ASSUMED_DURATION
from search.initials import initials
from search.keyword import wordless_name
from search.prices import price_band
from search.spelling import aliases, consonant_key, joined, month_words, parts, romanised, unique

_MOST_DESCRIPTION = 4_000
_HIGHEST_POSITION = 16_383
_LONGEST_WORD = 60
_MOST_POSITIONS = 8


@dataclass(frozen=True, slots=True)
class PerformerFacts:
    """A performer of the event."""

    name: str
    bio: str
    genres: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventFacts:
    """Everything about a published event that a search can ask for."""

    id: UUID
    name: str
    description: str
    category: str | None
    starts_at: datetime
    ends_at: datetime | None
    off_sale_at: datetime | None
    price_from: int | None
    price_to: int | None
    currency: str | None
    sold_out: bool
    venue_id: UUID
    venue: str
    address: str
    city: str
    country: str | None
    timezone: str
    performers: tuple[PerformerFacts, ...]


@dataclass(frozen=True, slots=True)
class SearchWords:
    """The romanised words of an event, by the field that they come from."""

    name: list[str]
    performers: list[str]
    venue: list[str]
    city: list[str]
    rest: list[str]
    description: str
    consonant_keys: list[str]
    initials: list[str]

    @classmethod
    def of(cls, facts: EventFacts) -> "SearchWords":
        """The words of one event."""
        bill = [spelling for performer in facts.performers for spelling in _spellings(performer)]
        month = _local(facts)
        genres = [genre for performer in facts.performers for genre in performer.genres]
        about = [facts.category or "", *genres, facts.address, facts.country or ""]
        known = [*bill, facts.venue, facts.city]
        named = [facts.name, *(performer.name for performer in facts.performers), facts.venue, facts.city]
        return cls(
            # Pairs of a title's words written as one would add a word for nearly every event, and the
            # cost of a change grows with the number of all words in the engine.
            name=unique([romanised(facts.name), " ".join(parts(facts.name)), wordless_name(facts.name)]),
            performers=_forms(bill),
            venue=_forms([facts.venue]),
            city=_forms([facts.city]),
            rest=unique([month_words(month.year, month.month), *map(romanised, about)]),
            description=romanised(facts.description[:_MOST_DESCRIPTION]),
            consonant_keys=unique(
                [consonant_key(facts.name), *(form for name in known for form in _keys(name))]
            ),
            initials=unique(form for name in named for form in initials(name)),
        )


def index_document(facts: EventFacts, words: SearchWords) -> dict[str, Any]:
    """Meilisearch's document of an event; times are Unix seconds, prices minor units."""
    until = facts.ends_at or facts.starts_at + ASSUMED_DURATION
    return {
        "id": public_id(Kind.EVENT, facts.id),
        "name": facts.name,
        "performers": [performer.name for performer in facts.performers],
        "spellings": [_spellings(performer)[1:] for performer in facts.performers],
        "venue": facts.venue,
        "venue_id": public_id(Kind.VENUE, facts.venue_id),
        "city": facts.city,
        "category": facts.category,
        "month": f"{_local(facts):%Y-%m}",
        "price_band": price_band(facts.price_from, facts.currency),
        "price_from": facts.price_from,
        "starts_at": int(facts.starts_at.timestamp()),
        "until": int(until.timestamp()),
        "off_sale_at": int(facts.off_sale_at.timestamp()) if facts.off_sale_at else None,
        "available": not facts.sold_out,
        "words": {
            "name": words.name,
            "performers": words.performers,
            "venue": words.venue,
            "city": words.city,
            "rest": words.rest,
            "description": words.description,
            "consonant_keys": words.consonant_keys,
            "initials": words.initials,
        },
    }


def text_vector(words: SearchWords) -> str:
    """The words as PostgreSQL's tsvector: A performers, B name, C venue and city, D the rest."""
    weighted = [
        ("A", words.performers),
        ("B", words.name),
        ("C", words.venue + words.city),
        ("D", [*words.rest, words.description]),
        ("D", [f"~{word}" for text in words.consonant_keys for word in text.split()]),
        ("D", [f"^{word}" for word in words.initials]),
    ]
    lexemes: dict[str, list[str]] = defaultdict(list)
    first = 1
    for weight, texts in weighted:
        for text in texts:
            found_words = text.split()
            for position, word in enumerate(found_words, first):
                lexemes[word[:_LONGEST_WORD]].append(f"{min(position, _HIGHEST_POSITION)}{weight}")
            first += len(found_words) + 1  # a phrase does not reach from one text into the next
    return " ".join([f"'{word}':{','.join(found[:_MOST_POSITIONS])}" for word, found in lexemes.items()])


def vocabulary(words: SearchWords) -> set[str]:
    """The words of names that a mistyped word is compared with."""
    texts = [*words.name, *words.performers, *words.venue, *words.city]
    found = set(" ".join(texts).split())
    return {word for word in found if 4 <= len(word) <= _LONGEST_WORD and not word.isdigit()}


def _spellings(performer: PerformerFacts) -> list[str]:
    return [performer.name, *aliases(performer.name, performer.bio)]


def _forms(names: Iterable[str]) -> list[str]:
    """All names as they are, then without spaces, then their Korean words' parts, then as `wordless_name`."""
    forms = [_forms_of(name) for name in names]
    return unique(form for kind in zip(*forms, strict=True) for form in kind)


@lru_cache(maxsize=16384)
def _forms_of(name: str) -> tuple[str, str, str, str]:
    return romanised(name), " ".join(joined(name)), " ".join(parts(name)), wordless_name(name)


@lru_cache(maxsize=16384)
def _keys(title: str) -> list[str]:
    """The consonant keys of a name's words, and of each part in brackets without spaces."""
    keys = [consonant_key(title)]
    for spelling in title.replace(")", "(").split("("):
        whole = consonant_key(spelling).replace(" ", "")
        if 3 < len(whole) <= 24:
            keys.append(whole)
    return unique(keys)


def _local(facts: EventFacts) -> datetime:
    zone = _zone(facts.timezone)
    return facts.starts_at.astimezone(zone) if zone else facts.starts_at


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
