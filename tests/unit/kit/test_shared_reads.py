"""Shared reads: one at a time, never older than the question, and no reader ends another's."""

import asyncio

import pytest

from kit.shared_reads import SharedReads


class Source:
    """A value that changes, and how often it was read."""

    def __init__(self) -> None:
        self.value = 0
        self.reads = self.at_once = self.most_at_once = 0
        self.fails = False

    async def read(self, key: str) -> int:
        self.reads += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        seen = self.value
        await asyncio.sleep(0.001)
        self.at_once -= 1
        if self.fails:
            raise ValueError(key)
        return seen


async def test_one_read_serves_all_who_ask_in_the_same_moment() -> None:
    source = Source()
    shared = SharedReads(source.read)

    values = await asyncio.gather(*(shared.get("map") for _ in range(100)))

    assert (values, source.reads) == ([0] * 100, 1)


async def test_nobody_gets_what_was_read_before_the_question() -> None:
    source = Source()
    shared = SharedReads(source.read)
    first = asyncio.create_task(shared.get("map"))
    while not source.at_once:
        await asyncio.sleep(0)
    source.value = 1

    later = await asyncio.gather(*(shared.get("map") for _ in range(10)))

    assert (await first, later) == (0, [1] * 10)
    assert (source.reads, source.most_at_once) == (2, 1)


async def test_others_get_their_value_when_one_who_asked_goes_away() -> None:
    source = Source()
    shared = SharedReads(source.read)
    leaving, staying = asyncio.create_task(shared.get("map")), asyncio.create_task(shared.get("map"))
    await asyncio.sleep(0)
    leaving.cancel()

    assert await staying == 0
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_a_failed_read_is_not_kept() -> None:
    source = Source()
    source.fails = True
    shared = SharedReads(source.read)
    with pytest.raises(ValueError, match="map"):
        await shared.get("map")
    source.fails = False

    assert await shared.get("map") == 0


async def test_keys_do_not_wait_for_each_other() -> None:
    source = Source()
    shared = SharedReads(source.read)

    await asyncio.gather(shared.get("a"), shared.get("b"))
    await shared.get("a")

    assert (source.reads, source.most_at_once) == (3, 2)
