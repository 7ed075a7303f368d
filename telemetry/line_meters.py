"""What operators watch of the waiting rooms' lines."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol
from uuid import UUID

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Standing(Protocol):
    """A line's counters."""

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


class LineMeters:
    """Gauges by event, of the lines that are switched on."""

    def __init__(self, registry: CollectorRegistry) -> None:
        figures = {
            "waiting": "People in line",
            "active": "Admissions in use",
            "admitted": "Admissions so far",
            "ended": "Admissions that are over",
            "lapsed": "Admissions that ran out of time",
            "rate_per_minute": "Admissions a minute, measured",
        }
        self._gauges = {
            name: Gauge(f"boxoffice_waiting_room_{name}", purpose, ["event"], registry=registry)
            for name, purpose in figures.items()
        }

    def show(self, lines: Mapping[UUID, Standing]) -> None:
        """Show these lines and no others."""
        for gauge in self._gauges.values():
            gauge.clear()
        for event_id, standing in lines.items():
            for name, gauge in self._gauges.items():
                gauge.labels(str(event_id)).set(getattr(standing, name))


class EstimateMeters(Collector):
    """How good the estimates were that this process told."""

    def __init__(self, registry: CollectorRegistry, errors: Callable[[], Mapping[UUID, float]]) -> None:
        self._errors = errors
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """The figure of every line that is watched here."""
        family = GaugeMetricFamily(
            "boxoffice_waiting_room_eta_error",
            "Median relative error of the first estimates told by this process",
            labels=["event"],
        )
        for event_id, error in self._errors().items():
            family.add_metric([str(event_id)], error)
        yield family
