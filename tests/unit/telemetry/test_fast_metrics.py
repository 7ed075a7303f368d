"""Our counters and histograms say what prometheus_client's would."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from telemetry.exposition import packed, text_of_all
from telemetry.fast_metrics import FastCounter, FastHistogram

BOUNDS = (0.1, 1, 2.5)
VALUES = (0.05, 0.1, 0.100001, 1.0, 2.0, 99.0)


def without_created(registry: CollectorRegistry) -> list[str]:
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if "_created" not in line]


def test_the_text_is_the_same_when_the_same_is_counted() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    counts, counter = FastCounter(ours, "a", "A", ["x", "y"]), Counter("a", "A", ["x", "y"], registry=theirs)
    fast, histogram = (
        FastHistogram(ours, "b", "B", BOUNDS, ["x"]),
        Histogram("b", "B", ["x"], buckets=BOUNDS, registry=theirs),
    )

    counts.add("1", "2")
    counts.add("1", "2", count=3)
    counts.add("1", "3")
    counter.labels("1", "2").inc(4)
    counter.labels("1", "3").inc()
    for value in VALUES:
        fast.observe(value, "1")
        histogram.labels("1").observe(value)

    assert without_created(ours) == without_created(theirs)


def test_what_has_no_labels_is_there_before_anything_is_counted() -> None:
    registry = CollectorRegistry()
    FastCounter(registry, "a", "A")
    FastHistogram(registry, "b", "B", BOUNDS)

    assert registry.get_sample_value("a_total") == 0
    assert registry.get_sample_value("b_count") == 0
    assert registry.get_sample_value("b_bucket", {"le": "+Inf"}) == 0


def test_metrics_of_all_are_shown_once_a_family_when_others_published_theirs() -> None:
    one, other, common = CollectorRegistry(), CollectorRegistry(), CollectorRegistry()
    FastCounter(one, "a", "A").add(count=2)
    FastCounter(other, "a", "A").add(count=3)
    FastCounter(other, "only_there", "B", ["x"]).add("1")

    text = text_of_all(one, "api-0", {"api-1": packed(other), "broken": b"?"}, common).decode()

    assert text.count("# TYPE a_total counter") == 1
    assert 'a_total{process="api-0"} 2.0' in text
    assert 'a_total{process="api-1"} 3.0' in text
    assert 'only_there_total{process="api-1",x="1"} 1.0' in text
    assert "broken" not in text
