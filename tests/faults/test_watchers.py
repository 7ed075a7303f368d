"""A strict client's folding: gaps are noticed, and two maps of one version never differ unseen."""

from typing import Any

import pytest

from faults.pulse import longest_gap
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


def test_map_is_folded_when_updates_follow_one_another() -> None:
    ann = watcher()

    for update in (snapshot(4, "AAA"), delta(4, 5, 1, "HELD"), delta(5, 8, 1, "BOOKED")):
        ann.take(update)

    assert ("".join(ann.map), ann.version, ann.faults) == ("ABA", 8, [])


def test_gap_is_a_fault_when_an_update_is_missing() -> None:
    ann = watcher()
    ann.take(snapshot(4, "AAA"))

    with pytest.raises(ValueError, match="a gap"):
        ann.take(delta(5, 6, 1, "HELD"))

    assert ann.faults == ["ann had version 4 and was told 5 → 6"]
    assert ann.version is None


def test_watchers_disagree_when_one_version_has_two_maps() -> None:
    ann, bob = watcher("ann"), watcher("bob")
    ann.take(snapshot(4, "AAA"))
    bob.take(snapshot(4, "AHA"))

    assert disagreements([ann, bob]) == ["ann and bob have different maps of version 4"]
    assert disagreements([ann, ann]) == []


def test_it_is_a_fault_when_a_version_comes_again_with_another_map() -> None:
    ann = watcher()
    for update in (snapshot(4, "AAA"), snapshot(4, "AAA"), snapshot(4, "AHA")):
        ann.take(update)

    assert ann.faults == ["ann was told two maps of version 4"]


def test_gap_is_the_longest_when_holds_were_given_around_it() -> None:
    assert longest_gap([1.0, 1.5, 4.0, 4.2, 9.0], 1.0, 5.0) == 2.5
    assert longest_gap([], 1.0, 5.0) == 4.0
