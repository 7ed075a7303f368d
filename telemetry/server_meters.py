"""Metrics of one process: requests, dependencies, fan-out, worker loops and the event loop."""

import asyncio
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector

from telemetry.fast_metrics import FastCounter, FastHistogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_SHORT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_GATEWAY_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15)
_LAG_INTERVAL_SECONDS = 0.25


class RequestMeters:
    """Requests by route and GraphQL operations by root field; routes and schema bound the labels."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = FastCounter(
            registry, "boxoffice_http_requests", "HTTP requests answered", ["route", "method", "status"]
        )
        self._seconds = FastHistogram(
            registry,
            "boxoffice_http_response_start_seconds",
            "From an HTTP request to the first byte of its response",
            _SECONDS,
            ["route"],
        )
        self._operations = FastCounter(
            registry,
            "boxoffice_operations",
            "GraphQL operations executed",
            ["kind", "field", "outcome"],
        )
        self._operation_seconds = FastHistogram(
            registry,
            "boxoffice_operation_seconds",
            "Duration of the execution of a GraphQL operation",
            _SECONDS,
            ["kind"],
        )
        self.in_flight = 0
        shown = Gauge("boxoffice_http_requests_in_flight", "HTTP requests being answered", registry=registry)
        shown.set_function(lambda: self.in_flight)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a response, when its first byte is sent."""
        self._requests.add(route, method, str(status))
        self._seconds.observe(seconds, route)

    def operation(self, kind: str, field: str, outcome: str, seconds: float) -> None:
        """Count an executed operation; `field` is the first one on its root."""
        self._operations.add(kind, field, outcome)
        self._operation_seconds.observe(seconds, kind)


class DependencyMeters:
    """Calls to Redis and the payment gateway, and the pool of database connections."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._round_trip = FastHistogram(
            registry,
            "boxoffice_redis_round_trip_seconds",
            "Duration of a pipeline to Redis",
            _SHORT_SECONDS,
        )
        self._commands = FastCounter(registry, "boxoffice_redis_commands", "Commands sent to Redis")
        self._faults = FastCounter(registry, "boxoffice_redis_faults", "Pipelines that Redis did not answer")
        self._pubsub = FastHistogram(
            registry,
            "boxoffice_pubsub_delay_seconds",
            "From publishing a message until this process receives it",
            _SHORT_SECONDS,
        )
        self._gateway = FastCounter(
            registry, "boxoffice_gateway_calls", "Calls to the payment gateway", ["call", "outcome"]
        )
        self._gateway_seconds = FastHistogram(
            registry,
            "boxoffice_gateway_seconds",
            "Duration of calls to the payment gateway",
            _GATEWAY_SECONDS,
            ["call"],
        )

    def round_trip(self, commands: int, seconds: float, *, answered: bool) -> None:
        """Count one pipeline to Redis."""
        self._commands.add(count=commands)
        if answered:
            self._round_trip.observe(seconds)
        else:
            self._faults.add()

    def pubsub_delay(self, seconds: float) -> None:
        """Record the time of one message of the latency probe."""
        self._pubsub.observe(seconds)

    def gateway(self, call: str, outcome: str, seconds: float) -> None:
        """Count a call to the payment gateway."""
        self._gateway.add(call, outcome)
        self._gateway_seconds.observe(seconds, call)

    def watch_pool(self, use: Callable[[], tuple[int, int]]) -> None:
        """Show the connections in use and the size of the pool, which `use` returns."""
        in_use = Gauge(
            "boxoffice_database_connections_in_use", "Database connections in use", registry=self._registry
        )
        most = Gauge(
            "boxoffice_database_connections_most",
            "Size of the pool of database connections",
            registry=self._registry,
        )
        in_use.set_function(lambda: use()[0])
        most.set_function(lambda: use()[1])


class FanoutMeters:
    """How fresh the seat maps of subscribers are."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._lag = FastHistogram(
            registry,
            "boxoffice_fanout_lag_seconds",
            "From receiving a change of seats to sending it to all subscribers",
            _SHORT_SECONDS,
        )

    def sent(self, seconds: float) -> None:
        """Record the time until an update was sent to all subscribers."""
        self._lag.observe(seconds)

    def watch_topics(self, topics: Callable[[], int]) -> None:
        """Show the number of events with subscribers."""
        watched = Gauge(
            "boxoffice_watched_events", "Events whose seats have subscribers", registry=self._registry
        )
        watched.set_function(topics)


class LoopMeters:
    """The periodic loops of a worker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._age = Gauge(
            "boxoffice_worker_loop_age_seconds",
            "Time since the last round of a loop without an error",
            ["loop"],
            registry=registry,
        )
        self._found = FastCounter(
            registry, "boxoffice_worker_found", "Items that a loop found to do", ["loop"]
        )
        self._faults = FastCounter(
            registry, "boxoffice_worker_faults", "Rounds of a loop that failed", ["loop"]
        )

    def watch(self, name: str, last_finished: Callable[[], float]) -> None:
        """Show a loop's age; `last_finished` is a monotonic time."""
        self._age.labels(name).set_function(lambda: time.monotonic() - last_finished())
        self.round(name, 0, failed=False)

    def round(self, name: str, found: int, *, failed: bool) -> None:
        """Count a round of a loop."""
        self._found.add(name, count=found)
        self._faults.add(name, count=int(failed))


class ProcessMeters:
    """Memory, file descriptors and processor time from /proc, and the lag of the event loop."""

    def __init__(self, registry: CollectorRegistry, role: str) -> None:
        ProcessCollector(registry=registry)
        here = Gauge("boxoffice_process", "1 for every running process", ["role"], registry=registry)
        here.labels(role).set(1)
        self._lag = FastHistogram(
            registry,
            "boxoffice_event_loop_lag_seconds",
            "Delay of a timer of the event loop",
            _SHORT_SECONDS,
        )

    async def measure_lag(self) -> None:
        """Measure the delay of a timer four times a second, until cancelled."""
        while True:
            due = time.perf_counter() + _LAG_INTERVAL_SECONDS
            await asyncio.sleep(_LAG_INTERVAL_SECONDS)
            self._lag.observe(max(0.0, time.perf_counter() - due))
