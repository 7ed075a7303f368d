"""How one process does: its requests, its event loop, its connections, its loops."""

import asyncio
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from telemetry.children import Children

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_SHORT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_LAG_LOOK_SECONDS = 0.25


class RequestMeters:
    """Requests by route and GraphQL operations by root field; both are bounded by what is served."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Children(
            Counter(
                "boxoffice_http_requests",
                "HTTP requests answered",
                ["route", "method", "status"],
                registry=registry,
            )
        )
        self._seconds = Children(
            Histogram(
                "boxoffice_http_response_start_seconds",
                "From an HTTP request to the first byte of its answer",
                ["route"],
                buckets=_SECONDS,
                registry=registry,
            )
        )
        self.in_flight = Gauge(
            "boxoffice_http_requests_in_flight", "HTTP requests being answered", registry=registry
        )
        self._operations = Children(
            Counter(
                "boxoffice_operations",
                "GraphQL operations executed",
                ["kind", "field", "outcome"],
                registry=registry,
            )
        )
        self._operation_seconds = Children(
            Histogram(
                "boxoffice_operation_seconds",
                "How long executing a GraphQL operation took",
                ["kind"],
                buckets=_SECONDS,
                registry=registry,
            )
        )

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answer, when its first byte is sent."""
        self._requests(route, method, str(status)).inc()
        self._seconds(route).observe(seconds)

    def operation(self, kind: str, field: str, outcome: str, seconds: float) -> None:
        """Count an operation that was executed; `field` is the first on its root."""
        self._operations(kind, field, outcome).inc()
        self._operation_seconds(kind).observe(seconds)


class PartMeters:
    """Calls to Redis and to the payment gateway, and the pool of database connections."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._round_trip = Histogram(
            "boxoffice_redis_round_trip_seconds",
            "How long a pipeline to Redis took",
            buckets=_SHORT_SECONDS,
            registry=registry,
        )
        self._commands = Counter("boxoffice_redis_commands", "Commands sent to Redis", registry=registry)
        self._faults = Counter(
            "boxoffice_redis_faults", "Pipelines that Redis did not answer", registry=registry
        )
        self._pubsub = Histogram(
            "boxoffice_pubsub_delay_seconds",
            "From publishing to hearing a message of one's own",
            buckets=_SHORT_SECONDS,
            registry=registry,
        )
        self._gateway = Children(
            Counter(
                "boxoffice_gateway_calls",
                "Calls to the payment gateway",
                ["call", "outcome"],
                registry=registry,
            )
        )
        self._gateway_seconds = Children(
            Histogram(
                "boxoffice_gateway_seconds",
                "How long calls to the payment gateway took",
                ["call"],
                registry=registry,
            )
        )

    def round_trip(self, commands: int, seconds: float, *, answered: bool) -> None:
        """Count one pipeline to Redis."""
        self._commands.inc(commands)
        if answered:
            self._round_trip.observe(seconds)
        else:
            self._faults.inc()

    def heard(self, seconds: float) -> None:
        """Note how long a message of our own was on its way."""
        self._pubsub.observe(seconds)

    def gateway(self, call: str, outcome: str, seconds: float) -> None:
        """Count a call to the payment gateway."""
        self._gateway(call, outcome).inc()
        self._gateway_seconds(call).observe(seconds)

    def watch_pool(self, use: Callable[[], tuple[int, int]]) -> None:
        """Show the database's connections that are in use, and the most there may be."""
        in_use = Gauge(
            "boxoffice_database_connections_in_use", "Database connections in use", registry=self._registry
        )
        most = Gauge("boxoffice_database_connections_most", "The most there may be", registry=self._registry)
        in_use.set_function(lambda: use()[0])
        most.set_function(lambda: use()[1])


class FanoutMeters:
    """How fresh what live subscribers see is."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._lag = Histogram(
            "boxoffice_fanout_lag_seconds",
            "From hearing of a change of seats to having told everybody who watches them",
            buckets=_SHORT_SECONDS,
            registry=registry,
        )

    def told(self, seconds: float) -> None:
        """Note an update that has been told."""
        self._lag.observe(seconds)

    def watch_topics(self, topics: Callable[[], int]) -> None:
        """Show how many events are being watched."""
        watched = Gauge(
            "boxoffice_watched_events", "Events whose seats are being watched", registry=self._registry
        )
        watched.set_function(topics)


class LoopMeters:
    """The loops of a worker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._age = Gauge(
            "boxoffice_worker_loop_age_seconds",
            "Since a loop last came to its end without a fault",
            ["loop"],
            registry=registry,
        )
        self._found = Children(
            Counter("boxoffice_worker_found", "What a loop found to do", ["loop"], registry=registry)
        )
        self._faults = Children(
            Counter("boxoffice_worker_faults", "Rounds that failed", ["loop"], registry=registry)
        )

    def watch(self, name: str, last_finished: Callable[[], float]) -> None:
        """Show a loop's age; `last_finished` is a monotonic time."""
        self._age.labels(name).set_function(lambda: time.monotonic() - last_finished())
        self._found(name)
        self._faults(name)

    def round(self, name: str, found: int, *, failed: bool) -> None:
        """Count a round of a loop."""
        if found:
            self._found(name).inc(found)
        if failed:
            self._faults(name).inc()


class ProcessMeters:
    """Memory, file descriptors and processor time by /proc, and how late the event loop is."""

    def __init__(self, registry: CollectorRegistry, role: str) -> None:
        ProcessCollector(registry=registry)
        Gauge("boxoffice_process", "1 for a process that is there", ["role"], registry=registry).labels(
            role
        ).set(1)
        self._lag = Histogram(
            "boxoffice_event_loop_lag_seconds",
            "How much later than asked for the event loop woke a sleeper",
            buckets=_SHORT_SECONDS,
            registry=registry,
        )

    async def measure_lag(self) -> None:
        """Sleep and see, until cancelled."""
        while True:
            asked = time.perf_counter() + _LAG_LOOK_SECONDS
            await asyncio.sleep(_LAG_LOOK_SECONDS)
            self._lag.observe(max(0.0, time.perf_counter() - asked))
