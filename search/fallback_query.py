"""Builds the statements of the PostgreSQL fallback from a request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.states import ASSUMED_DURATION
from domain.timezones import timezones
from search.index import MOST_BUCKETS, MOST_SOUND_ALIKES, Period, SearchRequest, Sort
from search.keyword import Keyword
from search.nearby_venues import KM_PER_DEGREE, distance_km
from search.prices import STEPS, STEPS_WHOLE, WHOLE_CURRENCIES
from search.text_query import TextQuery, completion_queries

# Ranking, totals and facets cover at most this many matches of a keyword, the soonest ones.
MOST_MATCHES = 2_000
# A search without a keyword counts at most this many events; no reader pages that far.
MOST_COUNTED = 30_000
# An event that is not over began at most this long ago: it bounds the scan of the index on starts_at.
_LONGEST_RUN = timedelta(days=400)
# The venues of the wanted events; None means any.
Venues = Sequence[UUID] | None
# The weights of a match in D (the rest), C (venue, city), B (event name), A (performers).
_WEIGHTS = "{0.05,0.5,0.9,1.0}"

_ORDER = {
    Sort.RELEVANCE: "exact DESC, spelt DESC, rank DESC, starts_at, id",
    Sort.STARTS_AT: "starts_at, id",
    Sort.PRICE: "price_from NULLS LAST, starts_at, id",
    Sort.DISTANCE: "distance, starts_at, id",
}
_UNTIL = f"coalesce(e.ends_at, e.starts_at + interval '{ASSUMED_DURATION.seconds} seconds')"
_STARTS_AT = "extract(epoch FROM e.starts_at)::float8"
_NAMES = """
    (SELECT coalesce(array_agg(p.name ORDER BY ep.position), '{}') FROM event_performers ep
     JOIN performers p ON p.id = ep.performer_id WHERE ep.event_id = e.id)
"""


_SOUND_ALIKES = f"""
WITH alike AS MATERIALIZED (
    SELECT e.id, v.name AS venue, v.city
    FROM search_documents d JOIN events e ON e.id = d.event_id JOIN venues v ON v.id = e.venue_id
    WHERE e.state = 'PUBLISHED' AND d.words @@ $1::tsquery
    ORDER BY e.starts_at DESC, e.id LIMIT {MOST_SOUND_ALIKES}
)
SELECT p.name, left(coalesce(p.bio, ''), 300) AS bio
FROM alike JOIN event_performers ep ON ep.event_id = alike.id JOIN performers p ON p.id = ep.performer_id
UNION SELECT venue, '' FROM alike UNION SELECT city, '' FROM alike
"""  # noqa: S608  (built from constants only)
_FREQUENCIES = """
SELECT (SELECT count(*) FROM (
    SELECT FROM search_documents d JOIN events e ON e.id = d.event_id
    WHERE e.state = 'PUBLISHED' AND d.words @@ asked.wanted::tsquery LIMIT $2
) AS counted) AS found
FROM unnest($1::text[]) WITH ORDINALITY AS asked (wanted, nth) ORDER BY nth
"""


@dataclass(frozen=True, slots=True)
class FallbackQuery:
    """A statement and its arguments."""

    statement: str
    arguments: tuple[Any, ...]


class _Parameters:
    """Collects a statement's arguments and returns the placeholder of each."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def __call__(self, value: Any) -> str:
        self.values.append(value)
        return f"${len(self.values)}"


def build_venues(request: SearchRequest) -> FallbackQuery | None:
    """The venues in the city and within the radius; None when neither is requested.

    They are queried first: only for known venues can PostgreSQL estimate the number of their events, and
    decide between starting from them and starting from the soonest events of all.
    """
    bind = _Parameters()
    conditions = []
    if request.city is not None:
        conditions.append(f"lower(v.city) = lower({bind(request.city)})")
    if request.near is not None:
        conditions += _within(request, bind)
    if not conditions:
        return None
    statement = f"SELECT v.id FROM venues v WHERE {' AND '.join(conditions)}"  # noqa: S608  (as below)
    return FallbackQuery(statement, tuple(bind.values))


def build_search(request: SearchRequest, text: TextQuery | None, at: Venues) -> FallbackQuery:
    """One page with its total and facets, as one row."""
    bind = _Parameters()
    matches = _matches(request, text, at, bind)
    order = _page_order(request)
    statement = f"""
    WITH matches AS MATERIALIZED ({matches}),
    page AS (
        SELECT id, row_number() OVER (ORDER BY {order}) AS position FROM matches
        ORDER BY {order} LIMIT {bind(request.page_size)} OFFSET {bind(request.offset)}
    )
    SELECT {_total(request, text, at, bind)} AS total,
           (SELECT json_agg(json_build_object(
                'id', e.id, 'name', e.name, 'starts_at', {_STARTS_AT}, 'venue', v.name, 'city', v.city,
                'performers', {_NAMES}
            ) ORDER BY page.position)
            FROM page JOIN events e ON e.id = page.id JOIN venues v ON v.id = e.venue_id) AS hits,
           ({_facets(bind)}) AS facets
    """  # noqa: S608  (values are arguments; the rest is constant)
    return FallbackQuery(statement, tuple(bind.values))


def build_sound_alikes(sounds: TextQuery) -> FallbackQuery:
    """The names in events with these consonants, with the beginning of a performer's biography."""
    return FallbackQuery(_SOUND_ALIKES, (sounds.wanted,))


def build_frequencies(texts: Sequence[str], most: int) -> FallbackQuery:
    """The number of published events for each text of a tsquery, counted up to `most` and one more."""
    return FallbackQuery(_FREQUENCIES, (list(texts), most + 1))


def build_completion(keyword: Keyword, now: datetime, most: int = 40) -> FallbackQuery:
    """Upcoming events with the words in a performer's name, in the event's, or in the venue's or city's."""
    bind = _Parameters()
    request = SearchRequest(now=now)
    conditions = " AND ".join(_conditions(request, None, bind))
    branches = [
        f"""(SELECT e.id, e.name, {_STARTS_AT} AS starts_at, v.name AS venue, v.city,
                   {_NAMES} AS performers
            FROM events e JOIN venues v ON v.id = e.venue_id JOIN search_documents d ON d.event_id = e.id
            WHERE {conditions} AND d.words @@ {bind(wanted)}::tsquery
            ORDER BY e.starts_at, e.id LIMIT {bind(most)})"""  # noqa: S608  (as above)
        for wanted in completion_queries(keyword)
    ]
    return FallbackQuery(" UNION ALL ".join(branches), tuple(bind.values))


def _matches(request: SearchRequest, text: TextQuery | None, at: Venues, bind: _Parameters) -> str:
    """The matches up to the limit. Only these are ranked: ranking reads all words of an event."""
    found, ranked, ranking = "", "", "0::real AS rank, false AS exact, true AS spelt"
    conditions = _conditions(request, at, bind)
    if text is not None:
        found = "JOIN search_documents d ON d.event_id = e.id"
        ranked = "JOIN search_documents d ON d.event_id = limited.id"
        wanted = bind(text.wanted)
        conditions.append(f"d.words @@ {wanted}::tsquery")
        if request.names:
            conditions.append(_named(request, text, bind))
        exact = f"d.words @@ {bind(text.exact)}::tsquery"
        spelt = f"d.words @@ {bind(text.spelt)}::tsquery" if text.spelt else "true"
        rank = f"ts_rank('{_WEIGHTS}', d.words, {wanted}::tsquery)"
        ranking = f"{rank} AS rank, {exact} AS exact, {spelt} AS spelt"
    distance, located = "0::float8", ""
    if request.sort is Sort.DISTANCE:
        distance, located = _distance(request, bind), "JOIN venues v ON v.id = e.venue_id"
    return f"""
        SELECT limited.*, v.city, v.timezone, {ranking}
        FROM (
            SELECT e.id, e.starts_at, e.price_from, e.currency, e.category, e.venue_id, {distance} AS distance
            FROM events e {located} {found}
            WHERE {" AND ".join(conditions)}
            ORDER BY {_match_order(request, text)} LIMIT {_match_limit(request, text)}
        ) AS limited JOIN venues v ON v.id = limited.venue_id {ranked}
    """  # noqa: S608  (as above)


def _named(request: SearchRequest, text: TextQuery, bind: _Parameters) -> str:
    """The events that have the names that sound like the keyword, or are spelt like it."""
    groups = []
    for names in request.names:
        wanted = f"ANY({bind(list(names))}::text[])"
        groups.append(
            f"""(EXISTS (SELECT FROM event_performers ep JOIN performers p ON p.id = ep.performer_id
                WHERE ep.event_id = e.id AND p.name = {wanted})
            OR EXISTS (SELECT FROM venues at WHERE at.id = e.venue_id
                AND (at.name = {wanted} OR at.city = {wanted})))"""  # noqa: S608  (as above)
        )
    named = " AND ".join(groups)
    return f"(d.words @@ {bind(text.spelt)}::tsquery OR ({named}))" if text.spelt else named


def _match_limit(request: SearchRequest, text: TextQuery | None) -> int:
    """The limit of the matches: the ranked ones with a keyword, else as many as the page needs."""
    return MOST_MATCHES if text is not None else max(MOST_MATCHES, request.offset + request.page_size)


def _total(request: SearchRequest, text: TextQuery | None, at: Venues, bind: _Parameters) -> str:
    """The number of matches, counted up to the limit of ranking with a keyword, and further without."""
    if text is not None:
        return "(SELECT count(*) FROM matches)"
    conditions = " AND ".join(_conditions(request, at, bind))
    return f"""(CASE WHEN (SELECT count(*) FROM matches) < {_match_limit(request, text)}
        THEN (SELECT count(*) FROM matches)
        ELSE (SELECT count(*) FROM (
            SELECT FROM events e WHERE {conditions} LIMIT {MOST_COUNTED}
        ) AS counted) END)"""  # noqa: S608  (as above)


def _conditions(request: SearchRequest, at: Venues, bind: _Parameters) -> list[str]:
    conditions = ["e.state = 'PUBLISHED'", *_period(request, bind)]
    if request.end is not None:
        conditions.append(f"e.starts_at < {bind(request.end)}")
    if at is not None:
        conditions.append(f"e.venue_id = ANY({bind(list(at))}::uuid[])")
    if request.category is not None:
        conditions.append(f"lower(e.category) = lower({bind(request.category)})")
    if request.price_max is not None:
        conditions.append(f"e.price_from <= {bind(request.price_max)}")
    if request.currency is not None:
        conditions.append(f"e.currency = {bind(request.currency)}")
    if request.available_only:
        now = bind(request.now)
        conditions.append(f"NOT e.sold_out AND (e.off_sale_at IS NULL OR e.off_sale_at > {now})")
    if request.unindexed:
        conditions.append("e.id IN (SELECT event_id FROM search_outbox WHERE recorded)")
    return conditions


def _period(request: SearchRequest, bind: _Parameters) -> list[str]:
    if request.period is Period.ASKED:
        assert request.start is not None
        return _not_over(request.start, bind)
    if request.period is Period.PAST:
        now = bind(request.now)
        return [f"e.starts_at <= {now}", f"{_UNTIL} <= {now}"]
    return _not_over(request.now, bind)


def _not_over(at: datetime, bind: _Parameters) -> list[str]:
    """The events that end after this moment."""
    return [f"e.starts_at > {bind(at - _LONGEST_RUN)}", f"{_UNTIL} > {bind(at)}"]


def _within(request: SearchRequest, bind: _Parameters) -> list[str]:
    near = request.near
    assert near is not None
    degrees = near.radius_km / KM_PER_DEGREE
    box = f"v.lat BETWEEN {bind(near.lat - degrees)} AND {bind(near.lat + degrees)}"
    inside = f"{_distance(request, bind)} <= {bind(near.radius_km)}"
    return [box, inside]


def _distance(request: SearchRequest, bind: _Parameters) -> str:
    near = request.near
    if near is None:
        return "0::float8"
    return distance_km(f"{bind(near.lat)}::float8", f"{bind(near.lng)}::float8")


def _match_order(request: SearchRequest, text: TextQuery | None) -> str:
    """The order of the matches before the limit: with a keyword, the soonest ones are kept."""
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
    """Past events are listed from the latest to the earliest."""
    return "DESC" if request.period is Period.PAST else "ASC"


def _facets(bind: _Parameters) -> str:
    zone = f"CASE WHEN timezone = ANY({bind(_ZONES)}::text[]) THEN timezone ELSE 'UTC' END"
    steps = f"""CASE WHEN currency = ANY({bind(sorted(WHOLE_CURRENCIES))}::text[])
        THEN {bind(list(STEPS_WHOLE))}::bigint[] ELSE {bind(list(STEPS))}::bigint[] END"""
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


_ZONES = sorted(timezones())
