"""Counters and histograms for hot paths: one look into a dict each.

prometheus_client's own take locks, for threads, and ten times as long. A process of ours counts in its
event loop alone; collecting, which may be a thread's, copies before it reads.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Counts(Collector):
    """A counter by labels; without labels it is there from the start."""

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
        """Count, for these values of the labels."""
        counts = self._counts
        try:
            counts[labels] += count
        except KeyError:
            counts[labels] = count

    def collect(self) -> Iterable[Metric]:
        """The family, as Prometheus reads it."""
        family = CounterMetricFamily(self._name, self._purpose, labels=self._labels)
        for labels, count in self._counts.copy().items():
            family.add_metric(labels, count)
        yield family


class _Spread:
    """How many values fell between two bounds, and their sum."""

    __slots__ = ("counts", "total")

    def __init__(self, buckets: int) -> None:
        self.counts = [0] * buckets
        self.total = 0.0


class Spreads(Collector):
    """A histogram by labels; without labels it is there from the start."""

    __slots__ = ("_bounds", "_labels", "_name", "_purpose", "_spreads")

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
        self._spreads: dict[tuple[str, ...], _Spread] = {}
        if not labels:
            self._spreads[()] = self._new()
        registry.register(self)

    def note(self, value: float, *labels: str) -> None:
        """Take a value, for these values of the labels."""
        spread = self._spreads.get(labels)
        if spread is None:
            spread = self._spreads[labels] = self._new()
        spread.counts[bisect_left(self._bounds, value)] += 1
        spread.total += value

    def _new(self) -> _Spread:
        return _Spread(len(self._bounds) + 1)

    def collect(self) -> Iterable[Metric]:
        """The family, as Prometheus reads it: each bucket holds those below it, too."""
        family = HistogramMetricFamily(self._name, self._purpose, labels=self._labels)
        names = [*map(floatToGoString, self._bounds), "+Inf"]
        for labels, spread in self._spreads.copy().items():
            below, buckets = 0, []
            for name, count in zip(names, spread.counts, strict=True):
                below += count
                buckets.append((name, below))
            family.add_metric(labels, buckets, spread.total)
        yield family
