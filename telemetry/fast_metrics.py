"""Counters and histograms for hot paths: an update is one access to a dict.

Those of prometheus_client lock for threads and take ten times as long. Here only the event loop updates;
collecting, which may run in a thread, copies before it reads.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class FastCounter(Collector):
    """A counter by labels; without labels its series exists from the start."""

    __slots__ = ("_counts", "_labels", "_name", "_purpose")

    def __init__(
        self, registry: CollectorRegistry, name: str, purpose: str, labels: Sequence[str] = ()
    ) -> None:
        self._name = name
        self._purpose = purpose
        self._labels = labels
        self._counts: dict[tuple[str, ...], float] = {} if labels else {(): 0.0}
        registry.register(self)

    def add(self, *labels: str, count: float = 1.0) -> None:
        """Increase the series with these values of the labels."""
        counts = self._counts
        try:
            counts[labels] += count
        except KeyError:
            counts[labels] = count

    def collect(self) -> Iterable[Metric]:
        """The metric family for Prometheus."""
        family = CounterMetricFamily(self._name, self._purpose, labels=self._labels)
        for labels, count in self._counts.copy().items():
            family.add_metric(labels, count)
        yield family


class _Series:
    """The number of values between each two bounds, and their sum."""

    __slots__ = ("counts", "total")

    def __init__(self, buckets: int) -> None:
        self.counts = [0] * buckets
        self.total = 0.0


class FastHistogram(Collector):
    """A histogram by labels; without labels its series exists from the start."""

    __slots__ = ("_bounds", "_labels", "_name", "_purpose", "_series")

    def __init__(
        self,
        registry: CollectorRegistry,
        name: str,
        purpose: str,
        bounds: Sequence[float],
        labels: Sequence[str] = (),
    ) -> None:
        self._name = name
        self._purpose = purpose
        self._bounds = tuple(bounds)
        self._labels = labels
        self._series: dict[tuple[str, ...], _Series] = {}
        if not labels:
            self._series[()] = self._new()
        registry.register(self)

    def observe(self, value: float, *labels: str) -> None:
        """Add a value to the series with these values of the labels."""
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = self._new()
        series.counts[bisect_left(self._bounds, value)] += 1
        series.total += value

    def _new(self) -> _Series:
        return _Series(len(self._bounds) + 1)

    def collect(self) -> Iterable[Metric]:
        """The metric family for Prometheus, whose buckets are cumulative."""
        family = HistogramMetricFamily(self._name, self._purpose, labels=self._labels)
        names = [*map(floatToGoString, self._bounds), "+Inf"]
        for labels, series in self._series.copy().items():
            below, buckets = 0, []
            for name, count in zip(names, series.counts, strict=True):
                below += count
                buckets.append((name, below))
            family.add_metric(labels, buckets, series.total)
        yield family
