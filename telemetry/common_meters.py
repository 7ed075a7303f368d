"""What every process finds alike when it is asked: in the database, in Redis, by its probes."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Gauge


class Figures(Protocol):
    """What the database says of the sale."""

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


class PartStanding(Protocol):
    """How a part stands."""

    @property
    def ok(self) -> bool: ...
    @property
    def latency_seconds(self) -> float: ...


class CommonMeters:
    """Gauges that are set when `/metrics` is asked for, and are gone while nobody can tell."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, purpose: str, labels: Iterable[str] = ()) -> Gauge:
            return Gauge(f"boxoffice_{name}", purpose, list(labels), registry=registry)

        self._processes = gauge("processes", "Processes whose figures are shown")
        self._part_up = gauge("part_up", "1 where a part answers", ["part"])
        self._part_latency = gauge("part_latency_seconds", "How long a part took to answer", ["part"])
        self._orders = gauge("orders_live", "Orders that hold seats unpaid", ["state"])
        self._payments = gauge("payments_open", "Payments under way", ["state"])
        none: list[str] = []
        self._single = {
            "outbox_waiting": gauge("outbox_waiting", "Outbox tasks not done, 10,000 at most", none),
            "outbox_age_seconds": gauge("outbox_age_seconds", "Age of the oldest outbox task", none),
            "search_lag_seconds": gauge("search_lag_seconds", "Age of the oldest change not indexed", none),
            "search_refused": gauge(
                "search_refused_documents", "Documents that the search engine refused", none
            ),
        }

    def show_processes(self, count: int) -> None:
        """Show how many processes told their figures."""
        self._processes.set(count)

    def show_parts(self, parts: Mapping[str, PartStanding]) -> None:
        """Show how the parts stand."""
        for name, standing in parts.items():
            self._part_up.labels(name).set(standing.ok)
            self._part_latency.labels(name).set(standing.latency_seconds)

    def show(self, figures: Figures | None) -> None:
        """Show what the database says; None hides what it last said."""
        self._orders.clear()
        self._payments.clear()
        for name, gauge in self._single.items():
            gauge.set(float("nan") if figures is None else getattr(figures, name))
        if figures is not None:
            for state, count in figures.orders.items():
                self._orders.labels(state).set(count)
            for state, count in figures.payments.items():
                self._payments.labels(state).set(count)
