"""What a search engine is asked and what it answers, whichever it is."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.errors import Unavailable


class IndexAway(Unavailable):
    """The search engine is away for a moment; please try again."""


class DocumentsRefused(Exception):
    """The engine judged a batch and did not take it; the message is its reason."""


class Sort(StrEnum):
    """In which order events are listed."""

    RELEVANCE = "RELEVANCE"
    STARTS_AT = "STARTS_AT"
    PRICE = "PRICE"
    DISTANCE = "DISTANCE"


class Source(StrEnum):
    """Which engine answered."""

    INDEX = "INDEX"
    DATABASE = "DATABASE"


class Match(StrEnum):
    """How a keyword is read, from the strictest to the most forgiving."""

    LETTERS = "LETTERS"  # every word as it is spelt, typos allowed
    SHAPES = "SHAPES"  # every word as it sounds: its consonants
    ANY = "ANY"  # as many of the words as there are


class Period(StrEnum):
    """Which events a search without a start looks at."""

    UPCOMING = "UPCOMING"
    PAST = "PAST"
    ASKED = "ASKED"  # the start was given


@dataclass(frozen=True, slots=True)
class Near:
    """Within a radius of a point; degrees and kilometres."""

    lat: float
    lng: float
    radius_km: float


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One question to one engine. Prices are minor units; pages count from 1."""

    now: datetime
    keyword: str = ""
    start: datetime | None = None
    end: datetime | None = None
    city: str | None = None
    category: str | None = None
    near: Near | None = None
    price_max: int | None = None
    currency: str | None = None
    available_only: bool = False
    sort: Sort = Sort.RELEVANCE
    page_size: int = 20
    page_num: int = 1
    match: Match = Match.LETTERS
    period: Period = Period.UPCOMING
    # Only events whose latest change the main index does not show; the database alone can tell.
    undelivered: bool = False

    @property
    def offset(self) -> int:
        """How many events come before this page."""
        return (self.page_num - 1) * self.page_size


@dataclass(frozen=True, slots=True)
class Hit:
    """A found event with the names that a match can be shown in."""

    event_id: UUID
    name: str
    performers: tuple[str, ...]
    venue: str
    city: str
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Facet:
    """How many of all found events have each value, the most frequent first."""

    field: str
    buckets: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of what was found."""

    hits: tuple[Hit, ...]
    total: int
    took_ms: int
    facets: tuple[Facet, ...] = field(default=())


FACETS = ("city", "category", "month", "priceBand")
MOST_BUCKETS = 50
# Venues whose events the main index counts one by one; with more of them around, the database answers.
MOST_PLACES = 5_000


class SearchIndex(Protocol):
    """An engine that finds events."""

    async def search(self, request: SearchRequest) -> Hits:
        """One page of matches with totals and facets.

        Raises:
            IndexAway: the engine is down, too slow, or not built yet.
        """

    async def complete(self, prefix: str, now: datetime) -> list[Hit]:
        """Upcoming events one of whose names has the words, the last one perhaps unfinished.

        Raises:
            IndexAway: as for `search`.
        """

    async def close(self) -> None:
        """Close its connections."""
