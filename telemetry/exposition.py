"""Prometheus's text of all processes: each publishes its metrics, and any of them answers for all."""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# A process has some hundred samples; a larger entry was not written by `packed`.
_MOST_BYTES = 1_000_000
# [name, type, documentation, [[sample's name, labels, value], …]]
_Family = tuple[str, str, str, list[tuple[str, dict[str, str], float]]]


def packed(registry: CollectorRegistry) -> bytes:
    """The metrics of this process, compressed for publishing every few seconds."""
    return zlib.compress(orjson.dumps(list(_families(registry))), 1)


def unpacked(entry: bytes) -> list[_Family]:
    """The metrics of another process.

    Raises:
        ValueError: `packed` did not write this entry.
    """
    try:
        unpacking = zlib.decompressobj()
        text = unpacking.decompress(entry, _MOST_BYTES)
        found: list[_Family] = orjson.loads(text)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    return found


def text_of_all(
    own: CollectorRegistry, name: str, others: Mapping[str, bytes], common: CollectorRegistry
) -> bytes:
    """The metrics of every process with the label `process`, and the common ones without it.

    With the label, a counter that starts again after a restart does not look like a drop of the sum.
    """
    processes = [(name, list(_families(own)))]
    for other, entry in sorted(others.items()):
        try:
            processes.append((other, unpacked(entry)))
        except ValueError:
            continue
    return generate_latest(_Merged(processes)) + generate_latest(common)


def _families(registry: CollectorRegistry) -> Iterator[_Family]:
    for family in registry.collect():
        samples = [
            (sample.name, sample.labels, sample.value)
            for sample in family.samples
            if not sample.name.endswith("_created")
        ]
        yield family.name, family.type, family.documentation, samples


class _Merged(Collector):
    """The metrics of several processes: each family once, with the samples of all."""

    def __init__(self, processes: Sequence[tuple[str, list[_Family]]]) -> None:
        self._processes = processes

    def collect(self) -> Iterable[Metric]:
        """Every family, with `process` among its labels."""
        merged: dict[str, Metric] = {}
        for process, families in self._processes:
            for name, kind, documentation, samples in families:
                family = merged.setdefault(name, Metric(name, documentation, kind))
                for sample, labels, value in samples:
                    family.add_sample(sample, _labelled(labels, process), _number(value))
        return merged.values()


def _labelled(labels: Mapping[str, Any], process: str) -> dict[str, str]:
    return {**labels, "process": process}


def _number(value: float | None) -> float:
    """JSON has neither infinity nor NaN: they were written as null."""
    return float("nan") if value is None else value
