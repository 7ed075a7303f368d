"""A strict client of seat updates: it notices gaps and different maps of one version."""

from typing import Any

import pytest

from faults.availability_probe import longest_gap
from faults.watchers import Watcher, disagreements


def watcher(name: str = "ann") -> Watcher:
    return Watcher(name, "http://127.0.0.1:9", "evt_1")


def snapshot(version: int, statuses: str) -> dict[str, Any]:
    return {"version": version, "previousVersion": None, "statuses": statuses, "changes": [], "sections": []}


def delta(previous: int, version: int, index: int, status: str) -> dict[str, Any]:
    changes = [{"index": index, "status": status}]
    return {
        "version": version,
        "previousVersion": previous,
        "statuses": None,
        "changes": changes,
        "sections": [],
    }


def test_map_is_updated_when_deltas_are_consecutive() -> None:
    ann = watcher()

    for update in (snapshot(4, "AAA"), delta(4, 5, 1, "HELD"), delta(5, 8, 1, "BOOKED")):
        ann.apply(update)

    assert ("".join(ann.map), ann.version, ann.errors) == ("ABA", 8, [])


def test_gap_is_an_error_when_an_update_is_missing() -> None:
    ann = watcher()
    ann.apply(snapshot(4, "AAA"))

    with pytest.raises(ValueError, match="a gap"):
        ann.apply(delta(5, 6, 1, "HELD"))

    assert ann.errors == ["ann had version 4 and received 5 → 6"]
    assert ann.version is None


def test_watchers_disagree_when_one_version_has_two_maps() -> None:
    ann, bob = watcher("ann"), watcher("bob")
    ann.apply(snapshot(4, "AAA"))
    bob.apply(snapshot(4, "AHA"))

    assert disagreements([ann, bob]) == ["ann and bob have different maps of version 4"]
    assert disagreements([ann, ann]) == []


def test_second_map_of_a_version_is_an_error() -> None:
    ann = watcher()
    for update in (snapshot(4, "AAA"), snapshot(4, "AAA"), snapshot(4, "AHA")):
        ann.apply(update)

    assert ann.errors == ["ann received two maps of version 4"]


def test_longest_gap_between_holds_is_measured() -> None:
    assert longest_gap([1.0, 1.5, 4.0, 4.2, 9.0], 1.0, 5.0) == 2.5
    assert longest_gap([], 1.0, 5.0) == 4.0
