"""Search results and completions, with public ids."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from db.queries.events import EventRow
from domain.errors import BadRequest, InvalidInput
from domain.ids import Kind, public_id
from domain.states import EventState
from domain.text_input import line
from resolvers.connections import page_size as checked_size
from resolvers.context import RequestContext
from search.completions import Completion
from services.search.fair_shares import SearchCaller
from services.search.find_events import FoundEvents, SearchQuestion, most_pages

LONGEST_KEYWORD = 200
LONGEST_PREFIX = 100
MOST_SUGGESTIONS = 20
MOST_PAGES = 1_000_000
_CURRENCY = re.compile(r"[A-Z]{3}")
FURTHEST_KM = 20_038.0  # half the way around the Earth


@dataclass(frozen=True, slots=True)
class FacetBucketView:
    """A value, and the number of results that have it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class FacetView:
    """The results by one of their properties."""

    field: str
    buckets: Sequence[FacetBucketView]


@dataclass(frozen=True, slots=True)
class TextRangeView:
    """A range of a text, in characters."""

    start: int
    length: int


@dataclass(frozen=True, slots=True)
class HighlightView:
    """A text of a found event, with its matches."""

    event_id: str
    field: str
    text: str
    ranges: Sequence[TextRangeView]


@dataclass(frozen=True, slots=True)
class ResultView:
    """One page of results."""

    events: Sequence[EventRow]
    is_over: bool
    total: int
    page_num: int
    page_size: int
    total_pages: int
    facets: Sequence[FacetView]
    highlights: Sequence[HighlightView]
    took_ms: int
    source: str


@dataclass(frozen=True, slots=True)
class SuggestionView:
    """A completion."""

    text: str
    kind: str
    event_id: str | None


async def search(context: RequestContext, question: SearchQuestion) -> ResultView:
    """Return one page of matching events.

    Raises:
        BadRequest: a text, a number or a place that cannot be one.
    """
    checked = _checked(question)
    found = await context.search.search_events(checked, _caller(context))
    rows = await context.loaders.events.load_many(list(found.event_ids))
    facets = [
        FacetView(facet.field, [FacetBucketView(value, count) for value, count in facet.buckets])
        for facet in found.facets
    ]
    return ResultView(
        events=[row for row in rows if row is not None and row.state == EventState.PUBLISHED],
        is_over=found.is_over,
        total=found.total,
        page_num=checked.page_num,
        page_size=checked.page_size,
        total_pages=min(-(-found.total // checked.page_size), most_pages(checked.page_size)),
        facets=facets,
        highlights=list(_highlights(found)),
        took_ms=found.took_ms,
        source=found.source,
    )


def _highlights(found: FoundEvents) -> Iterator[HighlightView]:
    for event_id, texts in zip(found.event_ids, found.highlights, strict=True):
        for shown in texts:
            ranges = [TextRangeView(start, length) for start, length in shown.ranges]
            yield HighlightView(public_id(Kind.EVENT, event_id), shown.field, shown.text, ranges)


async def suggest(context: RequestContext, prefix: str, limit: int | None) -> list[SuggestionView]:
    """Return completions of a prefix; none for an empty one."""
    most = 8 if limit is None else limit
    if not 1 <= most <= MOST_SUGGESTIONS:
        raise BadRequest(f"limit must be between 1 and {MOST_SUGGESTIONS}, not {most}.")
    typed = _text(prefix, "prefix", LONGEST_PREFIX)
    if not typed:
        return []
    found = await context.search.suggest(typed, most, _caller(context))
    return [SuggestionView(each.text, each.kind, _event_id(each)) for each in found]


def _caller(context: RequestContext) -> SearchCaller:
    return context.search.caller(context.viewer, context.address, operation=context)


def _event_id(completion: Completion) -> str | None:
    event_id = completion.event_id
    return None if event_id is None else public_id(Kind.EVENT, event_id)


def _checked(question: SearchQuestion) -> SearchQuestion:
    size = checked_size(question.page_size)
    if not 1 <= question.page_num <= MOST_PAGES:
        raise BadRequest(f"pageNum must be between 1 and {MOST_PAGES}, not {question.page_num}.")
    if question.price_max is not None and question.price_max < 0:
        raise BadRequest("priceMax must not be negative.")
    if question.currency is not None and not _CURRENCY.fullmatch(question.currency):
        raise BadRequest("currency must be three capital letters, e.g. KRW.")
    if question.start and question.end and question.end <= question.start:
        raise BadRequest("end must be later than start.")
    if question.near is not None:
        _check_near(*question.near)
    if question.sort == "DISTANCE" and question.near is None:
        raise BadRequest("sort DISTANCE needs near.")
    return replace(
        question,
        keyword=_text(question.keyword, "keyword", LONGEST_KEYWORD),
        city=question.city and _text(question.city, "city", LONGEST_KEYWORD),
        category=question.category and _text(question.category, "category", LONGEST_KEYWORD),
        page_size=size,
    )


def _check_near(lat: float, lng: float, radius_km: float) -> None:
    if not -90 <= lat <= 90:
        raise BadRequest("near.lat must be between -90 and 90 degrees.")
    if not -180 <= lng <= 180:
        raise BadRequest("near.lng must be between -180 and 180 degrees.")
    if not 0 < radius_km <= FURTHEST_KM:
        raise BadRequest(f"near.radiusKm must be more than 0 and at most {FURTHEST_KM:.0f}.")


def _text(text: str, path: str, most: int) -> str:
    try:
        return line(text, path, least=0, most=most)
    except InvalidInput as error:
        raise BadRequest(error.message) from None
