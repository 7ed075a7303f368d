"""Search and completions."""

from datetime import datetime

import strawberry

from schema.enums import SearchSort, SearchSource, SuggestionKind
from schema.events import Event
from schema.scalars import MinorUnits


@strawberry.input(description="A circle on the map")
class GeoInput:
    lat: float = strawberry.field(description="Degrees north, -90 to 90")
    lng: float = strawberry.field(description="Degrees east, -180 to 180")
    radius_km: float = strawberry.field(default=25, description="More than 0, at most 20,000")


@strawberry.input(description="What to look for; what is left out does not matter")
class SearchEventsInput:
    keyword: str | None = strawberry.field(
        default="",
        description="Words from names, performers, venue and city; typos are forgiven. A name of symbols "
        "alone is found exactly, and initial consonants (ㄱㅈㅊㅁ) find Korean names",
    )
    start: datetime | None = strawberry.field(
        default=None,
        description="Not over at this moment: still on, or starting later. Without it, what is not over now; "
        "and where nothing of that has the keyword, what is over (EventSearchResult.isOver)",
    )
    end: datetime | None = strawberry.field(
        default=None, description="Starting before this moment; a moment gone by asks for what is over"
    )
    city: str | None = strawberry.field(default=None, description="Venue.city, in any case")
    category: str | None = strawberry.field(default=None, description="Event.category, in any case")
    near: GeoInput | None = strawberry.field(default=None, description="Within a circle")
    price_max: MinorUnits | None = strawberry.field(
        default=None,
        description="Event.priceFrom, everything included, is at most this many minor units, in its own "
        "currency; give `currency` as well where events of several are for sale",
    )
    currency: str | None = strawberry.field(default=None, description="Priced in this one: ISO 4217")
    available_only: bool | None = strawberry.field(
        default=False, description="Leave out what is sold out or over"
    )
    sort: SearchSort | None = strawberry.field(default=SearchSort.RELEVANCE, description="Best first")
    page_size: int | None = strawberry.field(default=20, description="1 to 100")
    page_num: int | None = strawberry.field(
        default=1, description="Counts from 1; a page may begin before the 10,000th result"
    )


@strawberry.type(description="How many results have this value")
class FacetBucket:
    value: str = strawberry.field(description="The value")
    count: int = strawberry.field(description="Among all results, not only this page")


@strawberry.type(description="The results by one of their properties")
class Facet:
    field: str = strawberry.field(description="city, category, month or priceBand")
    buckets: list[FacetBucket] = strawberry.field(description="Most frequent first")


@strawberry.type(description="A stretch of a text")
class TextRange:
    start: int = strawberry.field(description="Characters before it")
    length: int = strawberry.field(description="Characters in it")


@strawberry.type(description="Where a found event shows what was looked for")
class SearchHighlight:
    event_id: strawberry.ID = strawberry.field(description="The event")
    field: str = strawberry.field(description="name, performers, venue or city")
    text: str = strawberry.field(description="The whole text, as it is")
    ranges: list[TextRange] = strawberry.field(description="What matched in it")


@strawberry.type(description="One page of results")
class EventSearchResult:
    events: list[Event] = strawberry.field(description="Best first")
    is_over: bool = strawberry.field(
        description="The listed events are over, the latest first: no start was asked for, and nothing that "
        "is still to come matched"
    )
    total: int = strawberry.field(
        description="On all pages; source DATABASE stops counting at 30,000, for a keyword at 2,000"
    )
    page_num: int = strawberry.field(description="As asked for; counts from 1")
    page_size: int = strawberry.field(description="As asked for")
    total_pages: int = strawberry.field(
        description="Pages that can be asked for: those that begin before the 10,000th result; 0 when "
        "nothing was found"
    )
    facets: list[Facet] = strawberry.field(description="All results by city, category, month and price")
    highlights: list[SearchHighlight] = strawberry.field(description="What to emphasise on this page")
    took_ms: int = strawberry.field(description="Milliseconds inside the search engine")
    source: SearchSource = strawberry.field(
        description="Which engine answered: the main index, or the database while the index is away"
    )


@strawberry.type(description="A completion of what is being typed")
class Suggestion:
    text: str = strawberry.field(description="What to search for")
    kind: SuggestionKind = strawberry.field(description="What it names")
    event_id: strawberry.ID | None = strawberry.field(description="The event, where it names one")


__all__ = ["EventSearchResult", "SearchEventsInput", "Suggestion"]
