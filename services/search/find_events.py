"""Find events in the search index, or in PostgreSQL while the index does not answer."""

import asyncio
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from db.queries.search import STANDING
from db.session import DATABASE_AWAY, Database
from domain.errors import BadRequest, Unavailable
from domain.viewer import Viewer
from kit.cache import Cache
from kit.clock import Clock
from search.completions import Completion, completions
from search.fallback import DatabaseIndex
from search.highlights import Highlight, highlights
from search.index import (
    Facet,
    Hit,
    Hits,
    IndexUnavailable,
    Near,
    Period,
    SearchIndex,
    SearchRequest,
    Sort,
    Source,
)
from search.nearby_venues import Fetch, NearbyVenues
from search.unindexed import can_place_unindexed, with_unindexed
from services.search.fair_shares import FairShares, SearchCaller, search_caller
from services.search.readings import first_found, strictest_reading

# A page may begin before this result.
FURTHEST_RESULT = 10_000
# The searches of one process that PostgreSQL answers at once. Selling seats needs it too, and searches that
# fall back to it must not keep the index from coming back.
FALLBACKS_AT_ONCE = 4
OURSELVES = SearchCaller("ourselves")
# A generic plan fits rare keywords and takes seconds for `s`, so each keyword gets its own plan. The matches
# of a frequent keyword are joined and sorted in memory.
_FOR_ANY_KEYWORD = "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL work_mem = '16MB'"


@dataclass(frozen=True, slots=True)
class SearchQuestion:
    """The conditions of a search; None sets none. `near` is latitude, longitude and kilometres."""

    keyword: str = ""
    start: datetime | None = None
    end: datetime | None = None
    city: str | None = None
    category: str | None = None
    near: tuple[float, float, float] | None = None
    price_max: int | None = None
    currency: str | None = None
    available_only: bool = False
    sort: str = "RELEVANCE"
    page_size: int = 20
    page_num: int = 1


@dataclass(frozen=True, slots=True)
class FoundEvents:
    """One page of event ids, best first, with the highlights of each."""

    event_ids: tuple[UUID, ...]
    is_over: bool
    total: int
    facets: tuple[Facet, ...]
    took_ms: int
    source: str
    highlights: tuple[tuple[Highlight, ...], ...]


class Freshness:
    """Tells whether the index is built and its lag within the bound; read at most five times a second."""

    def __init__(self, database: Database, *, most_lag_seconds: float = 20.0) -> None:
        self._database = database
        self._most_lag_seconds = most_lag_seconds
        self._cache: Cache[str, bool] = Cache(max_entries=1, ttl_seconds=0.2)
        self.lag_seconds = 0.0
        self.refused = 0

    @property
    def is_behind(self) -> bool:
        """Whether there are changes not yet indexed."""
        return self.lag_seconds > 0

    async def __call__(self) -> bool:
        """Return whether the index is fresh enough; True also where the database does not answer."""
        return await self._cache.get_or_load("index", self._load)

    async def _load(self, _: str) -> bool:
        try:
            standing = await self._database.fetchrow(STANDING)
        except DATABASE_AWAY:
            return True
        if standing is None:
            return False
        self.lag_seconds, self.refused = standing["lag_seconds"], standing["refused"]
        return bool(standing["ready"] and self.lag_seconds <= self._most_lag_seconds)


class EventSearch:
    """Searches events and completes names."""

    def __init__(
        self,
        index: SearchIndex | None,
        fallback: DatabaseIndex,
        is_fresh: Freshness,
        clock: Clock,
        *,
        private_networks: bool = False,
    ) -> None:
        self._index = None if index is None else FairShares(index)
        self._fallback = fallback
        self._fallback_shares = FairShares(fallback)
        self.standing = is_fresh
        self._clock = clock
        self._private_networks = private_networks

    def caller(self, viewer: Viewer | None, address: str, *, operation: Hashable) -> SearchCaller:
        """Return the caller whose share of the engine an operation uses."""
        return search_caller(viewer, address, operation, private_networks=self._private_networks)

    async def search_events(self, question: SearchQuestion, caller: SearchCaller = OURSELVES) -> FoundEvents:
        """Return one page of published events, by id; `caller` gets a fair share of the engine.

        Without a start, events that are over are left out; with one, those that are over by then. A name
        without upcoming events and an end in the past list past events, the latest first, but not where only
        available events are asked for.

        Raises:
            BadRequest: The page begins behind the 10,000th result.
            RateLimited: The caller's network asks too much at once.
            Unavailable: Neither the index nor the database answers.
        """
        request = _request(question, self._clock())
        if question.page_num > most_pages(question.page_size):
            raise BadRequest(f"(pageNum - 1) times pageSize must be less than {FURTHEST_RESULT}.")
        source, reading, hits = await self._search(request, caller)
        return FoundEvents(
            event_ids=tuple(hit.event_id for hit in hits.hits),
            is_over=reading.period is Period.PAST and hits.total > 0,
            total=hits.total,
            facets=hits.facets,
            took_ms=hits.took_ms,
            source=source.value,
            highlights=tuple(highlights(request.keyword, hit) for hit in hits.hits),
        )

    async def suggest(self, prefix: str, most: int, caller: SearchCaller = OURSELVES) -> list[Completion]:
        """Return completions from the names of upcoming events, performers, venues and cities, best first.

        Raises:
            RateLimited: The caller's network asks too much at once.
            Unavailable: Neither the index nor the database answers.
        """
        return completions(prefix, await self._complete(prefix, caller), most)

    async def check(self) -> None:
        """Check the index. Raises Unavailable where the database answers in its place."""
        if self._index is None:
            return
        if not await self.standing():
            raise Unavailable("The search index is not built yet, or is catching up.")
        await self._index.of(OURSELVES).complete("", self._clock())

    async def close(self) -> None:
        """Close the index's connections."""
        if self._index is not None:
            await self._index.close()

    async def _complete(self, prefix: str, caller: SearchCaller) -> Sequence[Hit]:
        if self._index is not None and await self.standing():
            try:
                return await self._index.of(caller).complete(prefix, self._clock())
            except IndexUnavailable:
                pass
        return await self._fallback_shares.of(caller).complete(prefix, self._clock())

    async def _search(
        self, request: SearchRequest, caller: SearchCaller
    ) -> tuple[Source, SearchRequest, Hits]:
        if self._index is not None and await self.standing():
            index = self._index.of(caller)
            try:
                if self.standing.is_behind and can_place_unindexed(request):
                    return Source.INDEX, *await self._search_with_unindexed(index, request)
                return Source.INDEX, *await first_found(index, request)
            except IndexUnavailable:
                pass
        return Source.DATABASE, *await first_found(self._fallback_shares.of(caller), request)

    async def _search_with_unindexed(
        self, index: SearchIndex, request: SearchRequest
    ) -> tuple[SearchRequest, Hits]:
        """Search the index and the changes not yet indexed; changes that match better are returned alone."""
        strictest = strictest_reading(request)
        try:
            unindexed = await self._fallback.unindexed(strictest)
        except Unavailable:
            unindexed = ()  # an answer that is seconds behind is better than none
        reading, found = await first_found(index, request)
        if unindexed and reading != strictest:
            return strictest, replace(found, hits=unindexed, total=len(unindexed))
        return reading, with_unindexed(reading, found, unindexed) if unindexed else found


def most_pages(page_size: int) -> int:
    """The number of the last page of this size that may be asked for."""
    return -(-FURTHEST_RESULT // page_size)


def database_index(database: Database) -> DatabaseIndex:
    """Return the search in this database.

    Its calls raise Unavailable where the database does not answer in time.
    """
    return DatabaseIndex(few_at_once(_fetching(database), FALLBACKS_AT_ONCE))


def venues_around(database: Database) -> NearbyVenues:
    """Return the locations of this database's venues. Its calls raise as those of `database_index`."""
    return NearbyVenues(_fetching(database))


def _fetching(database: Database) -> Fetch:
    async def fetch(statement: str, arguments: tuple[Any, ...], seconds: float) -> list[Any]:
        try:
            async with database.connection() as connection, connection.transaction(readonly=True):
                await connection.execute(_FOR_ANY_KEYWORD)
                return list(await connection.fetch(statement, *arguments, timeout=seconds))
        except DATABASE_AWAY as error:
            raise Unavailable("Search is away for a moment; please try again.") from error

    return fetch


def few_at_once(fetch: Fetch, most: int) -> Fetch:
    """Limit a function to `most` calls at a time; a call that waits longer than its timeout is refused."""
    slots = asyncio.Semaphore(most)

    async def fetch_in_turn(statement: str, arguments: tuple[Any, ...], seconds: float) -> list[Any]:
        try:
            async with asyncio.timeout(seconds):
                await slots.acquire()
        except TimeoutError as error:
            raise Unavailable("Search is busy; please try again.") from error
        try:
            return await fetch(statement, arguments, seconds)
        finally:
            slots.release()

    return fetch_in_turn


def _request(question: SearchQuestion, now: datetime) -> SearchRequest:
    return SearchRequest(
        now=now,
        keyword=question.keyword,
        start=question.start,
        end=question.end,
        city=question.city or None,
        category=question.category or None,
        near=Near(*question.near) if question.near else None,
        price_max=question.price_max,
        currency=question.currency,
        available_only=question.available_only,
        sort=Sort(question.sort),
        page_size=question.page_size,
        page_num=question.page_num,
    )
