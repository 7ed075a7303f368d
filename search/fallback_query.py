"""The statements of the PostgreSQL fallback, put together from a request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from domain.states import ASSUMED_DURATION
from search.index import MOST_BUCKETS, Match, Period, SearchRequest, Sort
from search.places import KM_PER_DEGREE, distance_km
from search.prices import STEPS, STEPS_WHOLE, WHOLE_CURRENCIES
from search.spelling import skeleton
from search.synonyms import synonyms

# Ranking, totals and facets look at this many of a busy keyword's matches, the soonest ones.
MOST_MATCHES = 2_000
# What no keyword narrows down is counted this far; nobody reads on to there.
MOST_COUNTED = 30_000
# An upcoming event began at most this long ago: what bounds the walk along the index of starts.
_LONGEST_RUN = timedelta(days=400)
# Where events are to be; None is anywhere.
Venues = Sequence[UUID] | None
# How much a match in D (the rest), C (venue, city), B (event name), A (performers) counts.
_WEIGHTS = "{0.05,0.5,0.9,1.0}"
_SYNONYMS = synonyms()

_ORDER = {
    Sort.RELEVANCE: "exact DESC, spelt DESC, rank DESC, starts_at, id",
    Sort.STARTS_AT: "starts_at, id",
    Sort.PRICE: "price_from NULLS LAST, starts_at, id",
    Sort.DISTANCE: "distance, starts_at, id",
}
_STARTS_AT = "extract(epoch FROM e.starts_at)::float8"
_NAMES = """
    (SELECT coalesce(array_agg(p.name ORDER BY ep.position), '{}') FROM event_performers ep
     JOIN performers p ON p.id = ep.performer_id WHERE ep.event_id = e.id)
"""


@dataclass(frozen=True, slots=True)
class FallbackQuery:
    """A statement and its arguments."""

    statement: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class TextQuery:
    """What the words must match, and which matches come first: exact ones, then spelt ones; tsquery texts."""

    wanted: str
    exact: str
    spelt: str = ""


class _Arguments:
    """Numbers a statement's arguments as they are mentioned."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def __call__(self, value: Any) -> str:
        self.values.append(value)
        return f"${len(self.values)}"


def exact_words(words: Sequence[str], match: Match) -> TextQuery | None:
    """The words as they are spelt, their beginnings and their synonyms."""
    return _text_query(words, {}, match)


def fuzzy_words(words: Sequence[str], similar: dict[str, list[str]], match: Match) -> TextQuery | None:
    """The same, and words of the vocabulary that are a typo or two away."""
    return _text_query(words, similar, match)


def shapes(keyword: str) -> TextQuery | None:
    """The words by their consonants, each on its own or all written as one."""
    outlines = skeleton(keyword).split()
    if not outlines:
        return None
    each = " & ".join(_quoted(f"~{outline}") for outline in outlines)
    whole = _quoted(f"~{''.join(outlines)}")
    return TextQuery(f"({each}) | {whole}", whole)


def with_sounds(spelt: TextQuery, sounds: TextQuery) -> TextQuery:
    """Words as they are spelt, and behind them those that sound alike."""
    return TextQuery(f"({spelt.wanted}) | ({sounds.wanted})", spelt.exact, spelt.wanted)


def build_venues(request: SearchRequest) -> FallbackQuery | None:
    """The venues that are in the city and around the place; None where any will do.

    They are asked for first: only of venues that it knows can PostgreSQL tell how many events they have,
    and whether to start from these or from the soonest ones of all.
    """
    number = _Arguments()
    conditions = []
    if request.city is not None:
        conditions.append(f"lower(v.city) = lower({number(request.city)})")
    if request.near is not None:
        conditions += _within(request, number)
    if not conditions:
        return None
    statement = f"SELECT v.id FROM venues v WHERE {' AND '.join(conditions)}"  # noqa: S608  (as below)
    return FallbackQuery(statement, tuple(number.values))


def build_search(request: SearchRequest, text: TextQuery | None, at: Venues) -> FallbackQuery:
    """One page with its total and facets, as one row."""
    number = _Arguments()
    matches = _matches(request, text, at, number)
    order = _page_order(request)
    statement = f"""
    WITH matches AS MATERIALIZED ({matches}),
    page AS (
        SELECT id, row_number() OVER (ORDER BY {order}) AS place FROM matches
        ORDER BY {order} LIMIT {number(request.page_size)} OFFSET {number(request.offset)}
    )
    SELECT {_total(request, text, at, number)} AS total,
           (SELECT json_agg(json_build_object(
                'id', e.id, 'name', e.name, 'starts_at', {_STARTS_AT}, 'venue', v.name, 'city', v.city,
                'performers', {_NAMES}
            ) ORDER BY page.place)
            FROM page JOIN events e ON e.id = page.id JOIN venues v ON v.id = e.venue_id) AS hits,
           ({_facets(number)}) AS facets
    """  # noqa: S608  (values are arguments; the rest is written here)
    return FallbackQuery(statement, tuple(number.values))


def build_completion(words: Sequence[str], now: datetime, most: int = 40) -> FallbackQuery:
    """Upcoming events that have the words in a performer's name, in their own, or in the place's."""
    number = _Arguments()
    request = SearchRequest(now=now)
    conditions = " AND ".join(_conditions(request, None, number))
    branches = []
    for weight in "ABC":
        finished = [_quoted(word, weight) for word in words[:-1]]
        wanted = " & ".join([*finished, _quoted(words[-1], f"*{weight}")])
        branches.append(
            f"""(SELECT e.id, e.name, {_STARTS_AT} AS starts_at, v.name AS venue, v.city,
                   {_NAMES} AS performers
            FROM events e JOIN venues v ON v.id = e.venue_id JOIN search_documents d ON d.event_id = e.id
            WHERE {conditions} AND d.words @@ {number(wanted)}::tsquery
            ORDER BY e.starts_at, e.id LIMIT {number(most)})"""  # noqa: S608  (as above)
        )
    return FallbackQuery(" UNION ALL ".join(branches), tuple(number.values))


def _text_query(words: Sequence[str], similar: dict[str, list[str]], match: Match) -> TextQuery | None:
    if not words:
        return None
    wanted = [_choice(word, similar.get(word, []), last=word == words[-1]) for word in words]
    joint = " | " if match is Match.ANY else " & "
    together = "".join(words)
    texts = joint.join(f"({choice})" for choice in wanted)
    if len(words) > 1 and len(together) <= 60:
        texts = f"({texts}) | {_quoted(together)}"
    return TextQuery(texts, " & ".join(_quoted(word) for word in words))


def _choice(word: str, similar: list[str], *, last: bool) -> str:
    begins = last or len(word) >= 3
    choices = [_quoted(word, "*" if begins else "")]
    choices += [_quoted(other) for other in [*similar, *_SYNONYMS.get(word, [])] if other != word]
    return " | ".join(choices)


def _quoted(word: str, mark: str = "") -> str:
    return f"'{word}':{mark}" if mark else f"'{word}'"


def _matches(request: SearchRequest, text: TextQuery | None, at: Venues, number: _Arguments) -> str:
    """The matches that are looked at. Only these are ranked: that takes every word of an event."""
    found, ranked, ranking = "", "", "0::real AS rank, false AS exact, true AS spelt"
    conditions = _conditions(request, at, number)
    if text is not None:
        found = "JOIN search_documents d ON d.event_id = e.id"
        ranked = "JOIN search_documents d ON d.event_id = looked_at.id"
        wanted = number(text.wanted)
        conditions.append(f"d.words @@ {wanted}::tsquery")
        exact = f"d.words @@ {number(text.exact)}::tsquery"
        spelt = f"d.words @@ {number(text.spelt)}::tsquery" if text.spelt else "true"
        rank = f"ts_rank('{_WEIGHTS}', d.words, {wanted}::tsquery)"
        ranking = f"{rank} AS rank, {exact} AS exact, {spelt} AS spelt"
    distance, located = "0::float8", ""
    if request.sort is Sort.DISTANCE:
        distance, located = _distance(request, number), "JOIN venues v ON v.id = e.venue_id"
    return f"""
        SELECT looked_at.*, v.city, v.timezone, {ranking}
        FROM (
            SELECT e.id, e.starts_at, e.price_from, e.currency, e.category, e.venue_id, {distance} AS distance
            FROM events e {located} {found}
            WHERE {" AND ".join(conditions)}
            ORDER BY {_match_order(request, text)} LIMIT {_furthest_match(request, text)}
        ) AS looked_at JOIN venues v ON v.id = looked_at.venue_id {ranked}
    """  # noqa: S608  (as above)


def _furthest_match(request: SearchRequest, text: TextQuery | None) -> int:
    """A keyword's matches end with those that are ranked; others go on as far as somebody reads."""
    return MOST_MATCHES if text is not None else max(MOST_MATCHES, request.offset + request.page_size)


def _total(request: SearchRequest, text: TextQuery | None, at: Venues, number: _Arguments) -> str:
    """Matches of a keyword are counted as far as they are ranked, everything else further."""
    if text is not None:
        return "(SELECT count(*) FROM matches)"
    conditions = " AND ".join(_conditions(request, at, number))
    return f"""(CASE WHEN (SELECT count(*) FROM matches) < {_furthest_match(request, text)}
        THEN (SELECT count(*) FROM matches)
        ELSE (SELECT count(*) FROM (
            SELECT FROM events e WHERE {conditions} LIMIT {MOST_COUNTED}
        ) AS counted) END)"""  # noqa: S608  (as above)


def _conditions(request: SearchRequest, at: Venues, number: _Arguments) -> list[str]:
    conditions = ["e.state = 'PUBLISHED'", *_period(request, number)]
    if request.end is not None:
        conditions.append(f"e.starts_at < {number(request.end)}")
    if at is not None:
        conditions.append(f"e.venue_id = ANY({number(list(at))}::uuid[])")
    if request.category is not None:
        conditions.append(f"lower(e.category) = lower({number(request.category)})")
    if request.price_max is not None:
        conditions.append(f"e.price_from <= {number(request.price_max)}")
    if request.currency is not None:
        conditions.append(f"e.currency = {number(request.currency)}")
    if request.available_only:
        now = number(request.now)
        conditions.append(f"NOT e.sold_out AND (e.off_sale_at IS NULL OR e.off_sale_at > {now})")
    if request.undelivered:
        conditions.append("e.id IN (SELECT event_id FROM search_outbox WHERE recorded)")
    return conditions


def _period(request: SearchRequest, number: _Arguments) -> list[str]:
    if request.period is Period.ASKED:
        return [f"e.starts_at >= {number(request.start)}"]
    until = f"coalesce(e.ends_at, e.starts_at + interval '{ASSUMED_DURATION.seconds} seconds')"
    now = number(request.now)
    if request.period is Period.PAST:
        return [f"e.starts_at <= {now}", f"{until} <= {now}"]
    return [f"e.starts_at > {number(request.now - _LONGEST_RUN)}", f"{until} > {now}"]


def _within(request: SearchRequest, number: _Arguments) -> list[str]:
    near = request.near
    assert near is not None
    degrees = near.radius_km / KM_PER_DEGREE
    box = f"v.lat BETWEEN {number(near.lat - degrees)} AND {number(near.lat + degrees)}"
    inside = f"{_distance(request, number)} <= {number(near.radius_km)}"
    return [box, inside]


def _distance(request: SearchRequest, number: _Arguments) -> str:
    near = request.near
    if near is None:
        return "0::float8"
    return distance_km(f"{number(near.lat)}::float8", f"{number(near.lng)}::float8")


def _match_order(request: SearchRequest, text: TextQuery | None) -> str:
    """Which matches are looked at; of a busy keyword's the soonest, whatever they are sorted by then."""
    if text is not None:
        return f"e.starts_at {_direction(request)}, e.id"
    if request.sort is Sort.PRICE:
        return "e.price_from NULLS LAST, e.starts_at, e.id"
    if request.sort is Sort.DISTANCE:
        return "distance, e.starts_at, e.id"
    return f"e.starts_at {_direction(request)}, e.id"


def _page_order(request: SearchRequest) -> str:
    order = _ORDER[request.sort]
    return order.replace("starts_at", f"starts_at {_direction(request)}")


def _direction(request: SearchRequest) -> str:
    """What is over is listed from the latest back."""
    return "DESC" if request.period is Period.PAST else "ASC"


def _facets(number: _Arguments) -> str:
    zone = f"CASE WHEN timezone = ANY({number(_ZONES)}::text[]) THEN timezone ELSE 'UTC' END"
    steps = f"""CASE WHEN currency = ANY({number(sorted(WHOLE_CURRENCIES))}::text[])
        THEN {number(list(STEPS_WHOLE))}::int[] ELSE {number(list(STEPS))}::int[] END"""
    values = (
        ("city", "city"),
        ("category", "category"),
        ("month", f"to_char(starts_at AT TIME ZONE {zone}, 'YYYY-MM')"),
        ("priceBand", f"currency || ' ' || width_bucket(price_from, {steps})"),
    )
    counts = " UNION ALL ".join(
        f"""(SELECT '{field}' AS field, {value} AS value, count(*) AS count FROM matches
        GROUP BY 2 HAVING {value} IS NOT NULL ORDER BY 3 DESC, 2 LIMIT {MOST_BUCKETS})"""  # noqa: S608
        for field, value in values
    )
    return f"SELECT json_agg(json_build_array(field, value, count)) FROM ({counts}) AS counts"  # noqa: S608


_ZONES = sorted(available_timezones())
