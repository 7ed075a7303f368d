"""The cache: its bounds, its time to live, and loads that callers share."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from kit.cache import Cache


@dataclass(frozen=True, eq=False)
class Part:
    size_bytes: int


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_least_recently_used_entry_is_evicted_when_there_are_too_many() -> None:
    cache: Cache[str, int] = Cache(max_entries=2)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.get("a")
    cache.put("c", 3)

    assert [cache.get(key) for key in "abc"] == [1, None, 3]


def test_the_oldest_entries_are_evicted_when_the_rest_has_too_many_bytes() -> None:
    cache: Cache[str, int] = Cache(max_entries=10, max_bytes=100)
    for number, key in enumerate("abc"):
        cache.put(key, number, size_bytes=40)

    assert [cache.get(key) for key in "abc"] == [None, 1, 2]
    assert cache.size_bytes == 80


def test_a_shared_part_counts_once_when_several_entries_hold_it() -> None:
    part = Part(50)
    cache: Cache[str, int] = Cache(max_entries=2, max_bytes=100)
    cache.put("a", 1, size_bytes=10, shared=part)
    cache.put("b", 2, size_bytes=10, shared=part)
    assert cache.size_bytes == 70

    cache.put("c", 3)
    assert cache.size_bytes == 60
    cache.put("d", 4)
    assert (cache.size_bytes, len(cache)) == (0, 2)


def test_an_entry_has_its_new_size_when_it_is_stored_again() -> None:
    cache: Cache[str, int] = Cache(max_entries=2, max_bytes=100)
    cache.put("a", 1, size_bytes=90)
    cache.put("a", 2, size_bytes=20)

    assert (cache.get("a"), cache.size_bytes) == (2, 20)


def test_an_oversized_entry_is_not_kept_and_evicts_nothing_when_it_is_stored() -> None:
    cache: Cache[str, int] = Cache(max_entries=2, max_bytes=100)
    cache.put("a", 1, size_bytes=40)
    cache.put("b", 2, size_bytes=40)
    cache.put("b", 3, size_bytes=101)
    cache.put("c", 4, size_bytes=1, shared=Part(100))

    assert [cache.get(key) for key in "abc"] == [1, None, None]
    assert (len(cache), cache.size_bytes) == (1, 40)


def test_an_oversized_entry_is_kept_alone_when_the_cache_keeps_such() -> None:
    cache: Cache[str, str] = Cache(max_entries=9, max_bytes=10, size_of=len, keeps_oversized=True)
    cache.put("a", "short")
    cache.put("b", "longer than ten")

    assert (cache.get("a"), cache.get("b"), len(cache)) == (None, "longer than ten", 1)


def test_an_entry_is_not_returned_when_its_time_is_over() -> None:
    clock = Clock()
    cache: Cache[str, int] = Cache(max_entries=9, ttl_seconds=10.0, clock=clock)
    cache.put("a", 1)
    cache.put("b", 2, ttl_seconds=3.0)
    clock.now += 3.0
    assert (cache.get("a"), cache.get("b")) == (1, None)

    clock.now += 7.0
    assert cache.get("a") is None


def test_a_caller_gets_nothing_when_the_entry_is_older_than_they_accept() -> None:
    clock = Clock()
    cache: Cache[str, int] = Cache(max_entries=9, clock=clock)
    cache.put("a", 1)
    clock.now += 2.0

    assert (cache.get("a", max_age_seconds=1.0), cache.get("a", max_age_seconds=2.0)) == (None, 1)


class Source:
    """A slow source of values that records its calls."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values
        self.calls: list[list[str]] = []
        self.gate = asyncio.Event()

    async def one(self, key: str) -> str:
        return (await self.many([key]))[key]

    async def many(self, keys: Sequence[str]) -> Mapping[str, str]:
        self.calls.append(list(keys))
        found = {key: self.values[key] for key in keys if key in self.values}
        await self.gate.wait()
        return found


async def test_simultaneous_callers_share_one_load_when_a_key_is_missing() -> None:
    source, cache = Source({"a": "A"}), Cache[str, str](max_entries=9)
    callers = [asyncio.create_task(cache.get_or_load("a", source.one)) for _ in range(20)]
    await asyncio.sleep(0)
    source.gate.set()

    assert await asyncio.gather(*callers) == ["A"] * 20
    assert await cache.get_or_load("a", source.one) == "A"
    assert source.calls == [["a"]]


async def test_a_load_goes_on_when_the_caller_who_began_it_is_cancelled() -> None:
    source, cache = Source({"a": "A"}), Cache[str, str](max_entries=9)
    first = asyncio.create_task(cache.get_or_load("a", source.one))
    second = asyncio.create_task(cache.get_or_load("a", source.one))
    await asyncio.sleep(0)
    first.cancel()
    source.gate.set()

    assert (await second, len(source.calls)) == ("A", 1)


async def test_a_value_is_loaded_anew_when_its_key_is_forgotten_during_a_load() -> None:
    source, cache = Source({"a": "before"}), Cache[str, str](max_entries=9, ttl_seconds=60.0)
    earlier = asyncio.create_task(cache.get_or_load("a", source.one))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    source.values["a"] = "after"
    cache.forget("a")
    own = asyncio.create_task(cache.get_or_load("a", source.one))
    await asyncio.sleep(0)
    source.gate.set()

    assert (await earlier, await own, cache.get("a")) == ("before", "after", "after")


async def test_the_next_caller_loads_again_when_a_load_fails() -> None:
    source, cache = Source({}), Cache[str, str](max_entries=9)
    source.gate.set()
    with pytest.raises(KeyError):
        await cache.get_or_load("a", source.one)
    source.values["a"] = "A"

    assert await cache.get_or_load("a", source.one) == "A"


async def test_one_call_loads_only_what_is_missing_when_many_keys_are_asked_for() -> None:
    source, cache = Source({"a": "A", "b": "B", "c": "C"}), Cache[str, str](max_entries=9)
    cache.put("a", "A")
    alone = asyncio.create_task(cache.get_or_load("b", source.one))
    await asyncio.sleep(0)
    together = asyncio.create_task(cache.get_many_or_load(["a", "b", "c", "d"], source.many))
    await asyncio.sleep(0)
    source.gate.set()

    assert (await alone, await together) == ("B", {"a": "A", "b": "B", "c": "C"})
    assert source.calls == [["b"], ["c", "d"]]


def test_nothing_is_left_when_the_cache_is_cleared() -> None:
    cache: Cache[str, int] = Cache(max_entries=9, max_bytes=100)
    cache.put("a", 1, size_bytes=10, shared=Part(5))
    cache.clear()

    assert (cache.get("a"), len(cache), cache.size_bytes) == (None, 0, 0)
