"""Finding a metric's child by its labels at the price of one look into a dict."""

from typing import Generic, TypeVar

from prometheus_client import Counter, Gauge, Histogram

Metric = TypeVar("Metric", Counter, Gauge, Histogram)


class Children(Generic[Metric]):
    """The children of a labelled metric: `labels()` builds a tuple of texts and takes a lock each time."""

    __slots__ = ("_known", "_metric")

    def __init__(self, metric: Metric) -> None:
        self._metric: Metric = metric
        self._known: dict[tuple[str, ...], Metric] = {}

    def __call__(self, *labels: str) -> Metric:
        """The child with these values, in the order of the metric's label names."""
        found = self._known.get(labels)
        if found is None:
            found = self._known[labels] = self._metric.labels(*labels)
        return found
