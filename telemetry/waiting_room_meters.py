"""Metrics of the waiting rooms."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol
from uuid import UUID

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Counters(Protocol):
    """The counters of a waiting room."""

    @property
    def waiting(self) -> int: ...
    @property
    def active(self) -> int: ...
    @property
    def admitted(self) -> int: ...
    @property
    def ended(self) -> int: ...
    @property
    def lapsed(self) -> int: ...
    @property
    def rate_per_minute(self) -> float: ...


class WaitingRoomMeters:
    """Gauges by event, for the waiting rooms that are enabled."""

    def __init__(self, registry: CollectorRegistry) -> None:
        figures = {
            "waiting": "People in the waiting room",
            "active": "Admissions in use",
            "admitted": "Admissions so far",
            "ended": "Admissions that have ended",
            "lapsed": "Admissions that lapsed",
            "rate_per_minute": "Measured admissions a minute",
        }
        self._gauges = {
            name: Gauge(f"boxoffice_waiting_room_{name}", purpose, ["event"], registry=registry)
            for name, purpose in figures.items()
        }

    def show(self, waiting_rooms: Mapping[UUID, Counters]) -> None:
        """Show these waiting rooms and no others."""
        for gauge in self._gauges.values():
            gauge.clear()
        for event_id, counters in waiting_rooms.items():
            for name, gauge in self._gauges.items():
                gauge.labels(str(event_id)).set(getattr(counters, name))


class EstimateErrors(Collector):
    """The errors of the estimated waiting times that this process has shown."""

    def __init__(self, registry: CollectorRegistry, errors: Callable[[], Mapping[UUID, float]]) -> None:
        self._errors = errors
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """One gauge for every waiting room with subscribers at this process."""
        family = GaugeMetricFamily(
            "boxoffice_waiting_room_eta_error",
            "Median relative error of the first estimates that this process has shown",
            labels=["event"],
        )
        for event_id, error in self._errors().items():
            family.add_metric([str(event_id)], error)
        yield family
