"""Queries to Meilisearch, the main index: asynchronous and with a timeout."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aiohttp
import orjson

from domain.ids import Kind, parse_id, public_id
from search.breaker import CircuitBreaker
from search.index import (
    MOST_BUCKETS,
    MOST_NEARBY_VENUES,
    Facet,
    Hit,
    Hits,
    IndexUnavailable,
    Near,
    SearchRequest,
    Sort,
    Spellings,
)
from search.keyword import Term
from search.meilisearch_query import (
    FACET_ATTRIBUTES,
    completion_bodies,
    count_body,
    frequency_bodies,
    search_body,
    share_bodies,
    sound_alike_bodies,
)
from search.nearby_venues import Share, VenueGroups, page_shares

INDEX = "events"
MOST_CONNECTIONS = 32


class MeilisearchIndex:
    """Searches one index of a Meilisearch server; `venues_around` finds the venues around a point.

    A timeout or an error counts as a failure of the circuit breaker; while it is open, no query is sent.
    """

    def __init__(
        self,
        url: str,
        key: str,
        venues_around: Callable[[Near, int], Awaitable[VenueGroups]],
        *,
        uid: str = INDEX,
        timeout_seconds: float = 0.4,
        breaker: CircuitBreaker | None = None,
    ) -> None:
        self._uid = uid
        self._venues_around = venues_around
        self._timeout_seconds = timeout_seconds
        self._breaker = breaker or CircuitBreaker()
        self._url = url.rstrip("/")
        self._headers = _HEADERS | ({"Authorization": f"Bearer {key}"} if key else {})
        self._session: aiohttp.ClientSession | None = None

    async def search(self, request: SearchRequest) -> Hits:
        """See `SearchIndex.search`."""
        try:
            if request.near is None:
                return _hits(await self._post(search_body(request)))
            return await self._search_around(request, request.near)
        except _NothingIndexed:
            return Hits((), 0, 0, tuple(Facet(field, ()) for field in FACET_ATTRIBUTES))
        except KeyError as error:  # another version built the index, and it is not rebuilt yet
            raise IndexUnavailable from error

    async def _search_around(self, request: SearchRequest, near: Near) -> Hits:
        groups = await self._venues_around(near, MOST_NEARBY_VENUES + 1)
        venues = [venue for group in groups for venue in group]
        if len(venues) > MOST_NEARBY_VENUES:
            raise IndexUnavailable
        if request.sort is not Sort.DISTANCE:
            return _hits(await self._post(search_body(request, venues)))
        counted = await self._post(count_body(request, venues))
        shares = page_shares(groups, _venue_counts(counted), request.offset, request.page_size)
        queries = share_bodies(self._uid, request, shares)
        parts = await self._post_all([body for body, _ in queries])
        hits = tuple(
            _hit(hit)
            for part, (_, group) in zip(parts, queries, strict=True)
            for hit in _nearest_first(part["hits"], group)
        )
        took_ms = counted["processingTimeMs"] + sum(part["processingTimeMs"] for part in parts)
        return replace(_hits(counted), hits=hits, took_ms=took_ms)

    async def sound_alikes(self, keyword: str) -> Spellings:
        """See `SearchIndex.sound_alikes`."""
        parts = await self._parts(sound_alike_bodies(self._uid, keyword))
        return {name: others for part in parts for hit in part["hits"] for name, others in _names(hit)}

    async def frequencies(self, terms: Sequence[Term], most: int) -> Sequence[int]:
        """See `SearchIndex.frequencies`; it counts all."""
        return [part["totalHits"] for part in await self._parts(frequency_bodies(self._uid, terms))]

    async def complete(self, prefix: str, now: datetime) -> list[Hit]:
        """See `SearchIndex.complete`."""
        parts = await self._parts(completion_bodies(self._uid, prefix, now))
        return [_hit(hit) for part in parts for hit in part["hits"]]

    async def close(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()

    def _pool(self) -> aiohttp.ClientSession:
        # Created on first use, because a session belongs to the running event loop.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                connector=aiohttp.TCPConnector(limit=MOST_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),  # `_send` has a timeout for the whole
            )
        return self._session

    async def _post(self, body: dict[str, Any]) -> Any:
        return await self._send(f"/indexes/{self._uid}/search", body)

    async def _parts(self, bodies: list[dict[str, Any]]) -> list[Any]:
        try:
            return await self._post_all(bodies)
        except _NothingIndexed:
            return []

    async def _post_all(self, bodies: list[dict[str, Any]]) -> list[Any]:
        if not bodies:
            return []
        parts: list[Any] = (await self._send("/multi-search", {"queries": bodies}))["results"]
        return parts

    async def _send(self, path: str, body: dict[str, Any]) -> Any:
        if not self._breaker.allows():
            raise IndexUnavailable
        try:
            async with asyncio.timeout(self._timeout_seconds):
                async with self._pool().post(self._url + path, data=orjson.dumps(body)) as answer:
                    content = await answer.read()
                if _EMPTY in content:
                    raise _NothingIndexed
                answer.raise_for_status()
                found = orjson.loads(content)
        except _NothingIndexed:
            self._breaker.succeeded()
            raise
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError) as error:
            self._breaker.failed()
            raise IndexUnavailable from error
        self._breaker.succeeded()
        return found


# The engine sends a compressed answer in two segments, and the second one waits 40 ms for the acknowledgement
# of the first: a search then takes 48 ms at the median, and 3 ms without compression.
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
# The error of an index that has never held a document: it has no searchable attribute.
_EMPTY = b'"invalid_search_attributes_to_search_on"'


class _NothingIndexed(Exception):
    """The index has never held a document."""


def _hits(answer: Any) -> Hits:
    counts = answer.get("facetDistribution") or {}
    return Hits(
        hits=tuple(map(_hit, answer["hits"])),
        total=answer["totalHits"],
        took_ms=answer["processingTimeMs"],
        facets=tuple(
            Facet(field, _buckets(counts.get(attribute) or {}))
            for field, attribute in FACET_ATTRIBUTES.items()
        ),
    )


def _nearest_first(hits: list[Any], shares: Sequence[Share]) -> list[Any]:
    """Hits that are sorted by their start, sorted by the distance of their venues."""
    rank = {public_id(Kind.VENUE, venue): rank for rank, share in enumerate(shares) for venue in share.venues}
    return sorted(hits, key=lambda hit: rank[hit["venue_id"]])


def _venue_counts(answer: Any) -> dict[UUID, int]:
    counts: dict[str, int] = answer["facetDistribution"]["venue_id"]
    return {parse_id(venue, Kind.VENUE): count for venue, count in counts.items()}


def _names(document: Any) -> Iterator[tuple[str, list[str]]]:
    """The names in a document, each with its other spellings."""
    yield from zip(document["performers"], document["spellings"], strict=True)
    yield document["venue"], []
    yield document["city"], []


def _hit(document: Any) -> Hit:
    return Hit(
        event_id=parse_id(document["id"], Kind.EVENT),
        name=document["name"],
        performers=tuple(document["performers"]),
        venue=document["venue"],
        city=document["city"],
        starts_at=datetime.fromtimestamp(document["starts_at"], UTC),
    )


def _buckets(counts: dict[str, int]) -> tuple[tuple[str, int], ...]:
    ranked: Iterable[tuple[str, int]] = counts.items()
    return tuple(sorted(ranked, key=lambda bucket: (-bucket[1], bucket[0]))[:MOST_BUCKETS])
