"""The meters of the transport: subscriptions, refusals, caches, the executor."""

from collections.abc import Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Gauge

from telemetry.counting import Counts


class StreamCounts(Protocol):
    """Open subscriptions over all processes."""

    def change(self, transport: str, by: int) -> None:
        """Count subscriptions that were opened or closed here."""

    async def totals(self) -> Mapping[str, int]:
        """The counts of all processes."""


_TRANSPORTS = ("websocket", "sse", "sse_single")


class PrometheusMeters:
    """The transport's meters."""

    def __init__(self, registry: CollectorRegistry, common: CollectorRegistry, streams: StreamCounts) -> None:
        self._streams = streams
        self._subscriptions = Gauge(
            "boxoffice_subscriptions", "Open subscriptions, all processes", ["transport"], registry=common
        )
        self._refused = Counts(
            registry, "boxoffice_refused", "Requests refused, by extensions.code", ["code"]
        )
        self._dropped = Counts(
            registry, "boxoffice_clients_dropped", "Clients dropped", ["transport", "reason"]
        )
        self._cached = Counts(registry, "boxoffice_cache", "Cache look-ups", ["cache", "outcome"])
        self._fallback = Counts(
            registry, "boxoffice_executor_fallback", "Operations left to graphql-core", ["reason"]
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
        self._refused.add(code)

    def dropped(self, transport: str, reason: str) -> None:
        """Count a client that was dropped."""
        self._dropped.add(transport, reason)

    def cached(self, cache: str, outcome: str) -> None:
        """Count a look-up in a cache."""
        self._cached.add(cache, outcome)

    def fallback(self, reason: str) -> None:
        """Count an operation that the compiled executor could not run."""
        self._fallback.add(reason)
