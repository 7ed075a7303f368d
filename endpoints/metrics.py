"""What operators watch, as Prometheus metrics."""

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


class PrometheusMeters:
    """The transport's meters."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._subscriptions = Gauge(
            "boxoffice_subscriptions", "Open subscriptions", ["transport"], registry=registry
        )
        self._refused = Counter(
            "boxoffice_refused", "Requests refused, by extensions.code", ["code"], registry=registry
        )
        self._dropped = Counter(
            "boxoffice_clients_dropped", "Clients dropped", ["transport", "reason"], registry=registry
        )
        self._cached = Counter("boxoffice_cache", "Cache look-ups", ["cache", "outcome"], registry=registry)
        self._fallback = Counter(
            "boxoffice_executor_fallback", "Operations left to graphql-core", ["reason"], registry=registry
        )
        for transport in ("websocket", "sse", "sse_single"):
            self._subscriptions.labels(transport).set(0)

    def subscriptions(self, transport: str, change: int) -> None:
        """Add to the open subscriptions of a transport."""
        self._subscriptions.labels(transport).inc(change)

    def refused(self, code: str) -> None:
        """Count a refusal."""
        self._refused.labels(code).inc()

    def dropped(self, transport: str, reason: str) -> None:
        """Count a client that was dropped."""
        self._dropped.labels(transport, reason).inc()

    def cached(self, cache: str, outcome: str) -> None:
        """Count a look-up in a cache."""
        self._cached.labels(cache, outcome).inc()

    def fallback(self, reason: str) -> None:
        """Count an operation that the compiled executor could not run."""
        self._fallback.labels(reason).inc()
