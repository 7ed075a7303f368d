"""Gauges that have the same value in every process: read from PostgreSQL, Redis and the probes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry, Gauge


class Leader(Protocol):
    """Who leads a work of which there is one in the installation."""

    @property
    def name(self) -> str: ...
    @property
    def holder(self) -> str: ...
    @property
    def held_seconds(self) -> float: ...


class Figures(Protocol):
    """Figures of the sale in PostgreSQL."""

    @property
    def outbox_waiting(self) -> int: ...
    @property
    def outbox_age_seconds(self) -> float: ...
    @property
    def orders(self) -> Mapping[str, int]: ...
    @property
    def payments(self) -> Mapping[str, int]: ...
    @property
    def search_lag_seconds(self) -> float: ...
    @property
    def search_refused(self) -> int: ...
    @property
    def leaders(self) -> Sequence[Leader]: ...


class PartState(Protocol):
    """The result of a probe: of a store, a service or a worker."""

    @property
    def ok(self) -> bool: ...
    @property
    def latency_seconds(self) -> float: ...


class CommonMeters:
    """Gauges that a request for `/metrics` sets; without a source they are NaN or absent."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, purpose: str, labels: Iterable[str] = ()) -> Gauge:
            return Gauge(f"boxoffice_{name}", purpose, list(labels), registry=registry)

        self._processes = gauge("processes", "Processes whose metrics are shown")
        self._part_up = gauge("part_up", "1 where the probe of a part succeeds", ["part"])
        self._part_latency = gauge("part_latency_seconds", "Duration of the probe of a part", ["part"])
        self._orders = gauge("orders_live", "Unpaid orders that hold seats", ["state"])
        self._payments = gauge("payments_open", "Payments that are not final", ["state"])
        self._leaders = gauge("lease_held_seconds", "Time for which a process leads", ["lease", "holder"])
        none: list[str] = []
        self._single = {
            "outbox_waiting": gauge("outbox_waiting", "Outbox tasks that are not done, 10,000 at most", none),
            "outbox_age_seconds": gauge("outbox_age_seconds", "Age of the oldest outbox task", none),
            "search_lag_seconds": gauge("search_lag_seconds", "Age of the oldest change not indexed", none),
            "search_refused": gauge(
                "search_refused_documents", "Documents that the search engine refused", none
            ),
        }

    def show_processes(self, count: int) -> None:
        """Show the number of processes whose metrics are shown."""
        self._processes.set(count)

    def show_parts(self, parts: Mapping[str, PartState]) -> None:
        """Show the results of the probes."""
        for name, state in parts.items():
            self._part_up.labels(name).set(state.ok)
            self._part_latency.labels(name).set(state.latency_seconds)

    def show(self, figures: Figures | None) -> None:
        """Show the figures of PostgreSQL; None where it does not answer."""
        self._orders.clear()
        self._payments.clear()
        self._leaders.clear()
        for name, gauge in self._single.items():
            gauge.set(float("nan") if figures is None else getattr(figures, name))
        if figures is not None:
            for state, count in figures.orders.items():
                self._orders.labels(state).set(count)
            for state, count in figures.payments.items():
                self._payments.labels(state).set(count)
            for leader in figures.leaders:
                self._leaders.labels(leader.name, leader.holder).set(leader.held_seconds)
