"""Search and completions as the schema shows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from db.queries.events import EventRow


@dataclass(frozen=True, slots=True)
class FacetBucketView:
    """A value and how many results have it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class FacetView:
    """The results by one of their properties."""

    field: str
    buckets: Sequence[FacetBucketView]


@dataclass(frozen=True, slots=True)
class ResultView:
    """One page of results."""

    events: Sequence[EventRow]
    total: int
    page_num: int
    page_size: int
    total_pages: int
    facets: Sequence[FacetView]
    took_ms: int
    source: str


@dataclass(frozen=True, slots=True)
class SuggestionView:
    """A completion."""

    text: str
    kind: str
    event_id: str | None
