"""Metrics of transport: subscriptions, refused requests, caches and the executor."""

from collections.abc import Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Gauge

from telemetry.fast_metrics import FastCounter


class StreamCounts(Protocol):
    """The numbers of open subscriptions over all processes."""

    def change(self, transport: str, by: int) -> None:
        """Count subscriptions that this process opened or closed."""

    async def totals(self) -> Mapping[str, int]:
        """The counts of all processes."""


_TRANSPORTS = ("websocket", "sse", "sse_single", "multipart")


class TransportMeters:
    """The metrics that transport records."""

    def __init__(self, registry: CollectorRegistry, common: CollectorRegistry, streams: StreamCounts) -> None:
        self._streams = streams
        self._subscriptions = Gauge(
            "boxoffice_subscriptions", "Open subscriptions, all processes", ["transport"], registry=common
        )
        self._refused = FastCounter(
            registry, "boxoffice_refused", "Requests refused, by extensions.code", ["code"]
        )
        self._limited = FastCounter(
            registry, "boxoffice_limits_reached", "Requests refused, by the limit that was reached", ["limit"]
        )
        self._dropped = FastCounter(
            registry,
            "boxoffice_clients_dropped",
            "Clients whose connection was closed",
            ["transport", "reason"],
        )
        self._cached = FastCounter(registry, "boxoffice_cache", "Cache look-ups", ["cache", "outcome"])
        self._fallback = FastCounter(
            registry, "boxoffice_executor_fallback", "Operations that graphql-core executed", ["reason"]
        )
        for transport in _TRANSPORTS:
            self._subscriptions.labels(transport).set(0)

    async def refresh(self) -> None:
        """Set the gauges that are the same in every process."""
        totals = await self._streams.totals()
        for transport in _TRANSPORTS:
            self._subscriptions.labels(transport).set(totals.get(transport, 0))

    def subscriptions(self, transport: str, change: int) -> None:
        """Add to the open subscriptions of a transport."""
        self._streams.change(transport, change)

    def refused(self, code: str) -> None:
        """Count a refused request by its code."""
        self._refused.add(code)

    def limited(self, limit: str) -> None:
        """Count a refused request by the limit that was reached."""
        self._limited.add(limit)

    def dropped(self, transport: str, reason: str) -> None:
        """Count a client whose connection was closed."""
        self._dropped.add(transport, reason)

    def cached(self, cache: str, outcome: str) -> None:
        """Count a look-up in a cache."""
        self._cached.add(cache, outcome)

    def fallback(self, reason: str) -> None:
        """Count an operation that the compiled executor left to graphql-core."""
        self._fallback.add(reason)
