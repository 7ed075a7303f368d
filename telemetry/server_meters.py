"""How one process does: its requests, its event loop, its connections, its loops."""

import asyncio
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector

from telemetry.counting import Counts, Spreads

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_SHORT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_GATEWAY_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15)
_LAG_LOOK_SECONDS = 0.25


class RequestMeters:
    """Requests by route and GraphQL operations by root field; both are bounded by what is served."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counts(
            registry, "boxoffice_http_requests", "HTTP requests answered", ["route", "method", "status"]
        )
        self._seconds = Spreads(
            registry,
            "boxoffice_http_response_start_seconds",
            "From an HTTP request to the first byte of its answer",
            _SECONDS,
            ["route"],
        )
        self._operations = Counts(
            registry,
            "boxoffice_operations",
            "GraphQL operations executed",
            ["kind", "field", "outcome"],
        )
        self._operation_seconds = Spreads(
            registry,
            "boxoffice_operation_seconds",
            "How long executing a GraphQL operation took",
            _SECONDS,
            ["kind"],
        )
        self.in_flight = 0
        shown = Gauge("boxoffice_http_requests_in_flight", "HTTP requests being answered", registry=registry)
        shown.set_function(lambda: self.in_flight)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answer, when its first byte is sent."""
        self._requests.add(route, method, str(status))
        self._seconds.note(seconds, route)

    def operation(self, kind: str, field: str, outcome: str, seconds: float) -> None:
        """Count an operation that was executed; `field` is the first on its root."""
        self._operations.add(kind, field, outcome)
        self._operation_seconds.note(seconds, kind)


class PartMeters:
    """Calls to Redis and to the payment gateway, and the pool of database connections."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._round_trip = Spreads(
            registry,
            "boxoffice_redis_round_trip_seconds",
            "How long a pipeline to Redis took",
            _SHORT_SECONDS,
        )
        self._commands = Counts(registry, "boxoffice_redis_commands", "Commands sent to Redis")
        self._faults = Counts(registry, "boxoffice_redis_faults", "Pipelines that Redis did not answer")
        self._pubsub = Spreads(
            registry,
            "boxoffice_pubsub_delay_seconds",
            "From publishing to hearing a message of one's own",
            _SHORT_SECONDS,
        )
        self._gateway = Counts(
            registry, "boxoffice_gateway_calls", "Calls to the payment gateway", ["call", "outcome"]
        )
        self._gateway_seconds = Spreads(
            registry,
            "boxoffice_gateway_seconds",
            "How long calls to the payment gateway took",
            _GATEWAY_SECONDS,
            ["call"],
        )

    def round_trip(self, commands: int, seconds: float, *, answered: bool) -> None:
        """Count one pipeline to Redis."""
        self._commands.add(count=commands)
        if answered:
            self._round_trip.note(seconds)
        else:
            self._faults.add()

    def heard(self, seconds: float) -> None:
        """Note how long a message of our own was on its way."""
        self._pubsub.note(seconds)

    def gateway(self, call: str, outcome: str, seconds: float) -> None:
        """Count a call to the payment gateway."""
        self._gateway.add(call, outcome)
        self._gateway_seconds.note(seconds, call)

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
        self._lag = Spreads(
            registry,
            "boxoffice_fanout_lag_seconds",
            "From hearing of a change of seats to having told everybody who watches them",
            _SHORT_SECONDS,
        )

    def told(self, seconds: float) -> None:
        """Note an update that has been told."""
        self._lag.note(seconds)

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
        self._found = Counts(registry, "boxoffice_worker_found", "What a loop found to do", ["loop"])
        self._faults = Counts(registry, "boxoffice_worker_faults", "Rounds that failed", ["loop"])

    def watch(self, name: str, last_finished: Callable[[], float]) -> None:
        """Show a loop's age; `last_finished` is a monotonic time."""
        self._age.labels(name).set_function(lambda: time.monotonic() - last_finished())
        self.round(name, 0, failed=False)

    def round(self, name: str, found: int, *, failed: bool) -> None:
        """Count a round of a loop."""
        self._found.add(name, count=found)
        self._faults.add(name, count=int(failed))


class ProcessMeters:
    """Memory, file descriptors and processor time by /proc, and how late the event loop is."""

    def __init__(self, registry: CollectorRegistry, role: str) -> None:
        ProcessCollector(registry=registry)
        here = Gauge("boxoffice_process", "1 for a process that is there", ["role"], registry=registry)
        here.labels(role).set(1)
        self._lag = Spreads(
            registry,
            "boxoffice_event_loop_lag_seconds",
            "How much later than asked for the event loop woke a sleeper",
            _SHORT_SECONDS,
        )

    async def measure_lag(self) -> None:
        """Sleep and see, until cancelled."""
        while True:
            asked = time.perf_counter() + _LAG_LOOK_SECONDS
            await asyncio.sleep(_LAG_LOOK_SECONDS)
            self._lag.note(max(0.0, time.perf_counter() - asked))
