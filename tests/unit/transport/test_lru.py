"""What is kept, by number and by weight."""

from __future__ import annotations

from dataclasses import dataclass

from transport.lru import LeastRecentlyUsed


@dataclass(frozen=True, eq=False)
class Load:
    size_bytes: int


def test_the_oldest_are_forgotten_until_the_rest_is_light_enough() -> None:
    kept: LeastRecentlyUsed[str, int] = LeastRecentlyUsed(10, most_bytes=100)
    for number, key in enumerate("abc"):
        kept.put(key, number, 40)

    assert [kept.get(key) for key in "abc"] == [None, 1, 2]
    assert kept.size_bytes == 80


def test_what_several_hold_weighs_once_and_until_the_last_is_forgotten() -> None:
    shared = Load(50)
    kept: LeastRecentlyUsed[str, int] = LeastRecentlyUsed(2, most_bytes=100)
    kept.put("a", 1, 10, shared)
    kept.put("b", 2, 10, shared)
    assert kept.size_bytes == 70

    kept.put("c", 3)
    assert kept.size_bytes == 60
    kept.put("d", 4)
    assert (kept.size_bytes, len(kept)) == (0, 2)


def test_an_entry_that_is_put_again_weighs_what_it_weighs_now() -> None:
    kept: LeastRecentlyUsed[str, int] = LeastRecentlyUsed(2, most_bytes=100)
    kept.put("a", 1, 90)
    kept.put("a", 2, 20)

    assert (kept.get("a"), kept.size_bytes) == (2, 20)


def test_what_is_heavier_than_all_may_be_is_not_kept_and_drives_nothing_out() -> None:
    kept: LeastRecentlyUsed[str, int] = LeastRecentlyUsed(2, most_bytes=100)
    kept.put("a", 1, 40)
    kept.put("b", 2, 40)
    kept.put("b", 3, 101)
    kept.put("c", 4, 1, Load(100))

    assert [kept.get(key) for key in "abc"] == [1, None, None]
    assert (len(kept), kept.size_bytes) == (1, 40)
