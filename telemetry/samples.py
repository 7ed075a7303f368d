"""A parser of Prometheus text: `boxoffice status` reads `/metrics`."""

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


class Samples:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self._samples: dict[str, list[Sample]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self._samples.setdefault(sample.name, []).append(sample)

    def value(self, name: str) -> float | None:
        """The value of a series without labels; None where it is missing or NaN."""
        found = next((sample.value for sample in self._samples.get(name, ()) if not sample.labels), None)
        return None if found is None or found != found else found

    def by(self, name: str, label: str) -> dict[str, float]:
        """The values by one label, summed over the others."""
        values: dict[str, float] = {}
        for sample in self._samples.get(name, ()):
            key = sample.labels.get(label, "")
            values[key] = values.get(key, 0.0) + sample.value
        return values
