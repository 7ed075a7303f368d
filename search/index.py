"""The protocol of a search engine: requests and answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.errors import Unavailable
from search.keyword import Keyword, KeywordKind, Term, read_keyword
from search.sounds import NameGroups


class IndexUnavailable(Unavailable):
    """The search engine is away for a moment; please try again."""


class DocumentsRejected(Exception):
    """The engine rejected a batch; the message is its reason."""


class Sort(StrEnum):
    """The order of the results."""

    RELEVANCE = "RELEVANCE"
    STARTS_AT = "STARTS_AT"
    PRICE = "PRICE"
    DISTANCE = "DISTANCE"


class Source(StrEnum):
    """The engine that answered."""

    INDEX = "INDEX"
    DATABASE = "DATABASE"


class Match(StrEnum):
    """How a keyword is matched, from the strictest to the most tolerant."""

    SPELLING = "SPELLING"  # every word by its letters, typos allowed
    SOUND = "SOUND"  # names that sound like it: `SearchRequest.names`
    ANY = "ANY"  # as many of the words as there are, in names


class Period(StrEnum):
    """The events that are searched, by their time."""

    UPCOMING = "UPCOMING"
    PAST = "PAST"
    ASKED = "ASKED"  # the start was given: what is not over by then


@dataclass(frozen=True, slots=True)
class Near:
    """Within a radius of a point; degrees and kilometres."""

    lat: float
    lng: float
    radius_km: float


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One query for one engine. Prices are minor units; pages count from 1."""

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
    match: Match = Match.SPELLING
    # With Match.SOUND: of each group, the events have one as a performer, venue or city.
    names: NameGroups = ()
    # With Match.ANY: the words of the keyword that are searched.
    terms: tuple[Term, ...] = ()
    period: Period = Period.UPCOMING
    # Only events with changes that are not yet indexed; only the database knows them.
    unindexed: bool = False

    @property
    def asked(self) -> Keyword:
        """The keyword as it is searched."""
        return Keyword(KeywordKind.WORDS, self.terms) if self.terms else read_keyword(self.keyword)

    @property
    def offset(self) -> int:
        """The number of events before this page."""
        return (self.page_num - 1) * self.page_size


@dataclass(frozen=True, slots=True)
class Hit:
    """A found event with the texts that can be highlighted."""

    event_id: UUID
    name: str
    performers: tuple[str, ...]
    venue: str
    city: str
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Facet:
    """The number of all found events for each value, the most frequent first."""

    field: str
    buckets: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of results."""

    hits: tuple[Hit, ...]
    total: int
    took_ms: int
    facets: tuple[Facet, ...] = field(default=())


FACETS = ("city", "category", "month", "priceBand")
MOST_BUCKETS = 50
# With more venues than this within the radius, the database answers instead of the main index.
MOST_NEARBY_VENUES = 5_000
# The names of at most this many events are compared with what was typed.
MOST_SOUND_ALIKES = 200
# Names with other spellings of each, such as those in a biography.
Spellings = Mapping[str, Sequence[str]]


class SearchIndex(Protocol):
    """A search engine for events."""

    async def search(self, request: SearchRequest) -> Hits:
        """One page of matches with totals and facets.

        Raises:
            IndexUnavailable: the engine is down, too slow, or not built yet.
        """

    async def sound_alikes(self, keyword: str) -> Spellings:
        """The names in events with the consonants of the keyword's words, or of all of them together.

        Raises:
            IndexUnavailable: as for `search`.
        """

    async def frequencies(self, terms: Sequence[Term], most: int) -> Sequence[int]:
        """The number of events with each of these words or phrases in a name; it may stop above `most`.

        Raises:
            IndexUnavailable: as for `search`.
        """

    async def complete(self, prefix: str, now: datetime) -> list[Hit]:
        """Upcoming events with a name that has the words; the last word may be incomplete.

        Raises:
            IndexUnavailable: as for `search`.
        """

    async def close(self) -> None:
        """Close its connections."""
