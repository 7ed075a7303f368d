"""What operators watch, as Prometheus metrics."""

from collections.abc import Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge


class SearchStanding(Protocol):
    """How the search index stands, as last looked up."""

    lag_seconds: float
    refused: int


def watch_search(registry: CollectorRegistry, standing: SearchStanding) -> None:
    """How far the index is behind, and what the engine refused."""
    lag = Gauge("boxoffice_search_lag_seconds", "Age of the oldest change not yet indexed", registry=registry)
    lag.set_function(lambda: standing.lag_seconds)
    refused = Gauge(
        "boxoffice_search_refused_documents", "Documents that the engine refused", registry=registry
    )
    refused.set_function(lambda: standing.refused)


class StreamCounts(Protocol):
    """Open subscriptions over all processes."""

    def change(self, transport: str, by: int) -> None:
        """Count subscriptions that were opened or closed here."""

    async def totals(self) -> Mapping[str, int]:
        """The counts of all processes."""


_TRANSPORTS = ("websocket", "sse", "sse_single")


class PrometheusMeters:
    """The transport's meters."""

    def __init__(self, registry: CollectorRegistry, streams: StreamCounts) -> None:
        self._streams = streams
        self._subscriptions = Gauge(
            "boxoffice_subscriptions", "Open subscriptions, all processes", ["transport"], registry=registry
        )
        self._refused = Counter(
            "boxoffice_refused", "Requests refused, by extensions.code", ["code"], registry=registry
        )
        self._dropped = Counter(
            "boxoffice_clients_dropped", "Clients dropped", ["transport", "reason"], registry=registry
        )
        self._cached = Counter("boxoffice_cache", "Cache look-ups", ["cache", "outcome"], registry=registry)
        self._cached_by: dict[tuple[str, str], Counter] = {}
        self._fallback = Counter(
            "boxoffice_executor_fallback", "Operations left to graphql-core", ["reason"], registry=registry
        )
        for transport in _TRANSPORTS:
            self._subscriptions.labels(transport).set(0)

    async def refresh(self) -> None:
        """Set the gauges that every process shows alike."""
        totals = await self._streams.totals()
        for transport in _TRANSPORTS:
            self._subscriptions.labels(transport).set(totals.get(transport, 0))

    def subscriptions(self, transport: str, change: int) -> None:
        """Add to the open subscriptions of a transport."""
        self._streams.change(transport, change)

    def refused(self, code: str) -> None:
        """Count a refusal."""
        self._refused.labels(code).inc()

    def dropped(self, transport: str, reason: str) -> None:
        """Count a client that was dropped."""
        self._dropped.labels(transport, reason).inc()

    def cached(self, cache: str, outcome: str) -> None:
        """Count a look-up in a cache."""
        counter = self._cached_by.get((cache, outcome))
        if counter is None:
            counter = self._cached_by[cache, outcome] = self._cached.labels(cache, outcome)
        counter.inc()

    def fallback(self, reason: str) -> None:
        """Count an operation that the compiled executor could not run."""
        self._fallback.labels(reason).inc()
