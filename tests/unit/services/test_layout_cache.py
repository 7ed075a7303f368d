"""The cache of seat maps: one read at a time, and a bound."""

import asyncio
from typing import Any, cast

import orjson
import pytest

from db.session import Database
from domain.errors import NotFound
from domain.layout_document import to_document
from kit.ids import new_uuid
from services.caches import LayoutCache
from tests.events import seat_map_of


class Shelf:
    """A database that holds seat maps and counts how often it was asked."""

    def __init__(self, count: int) -> None:
        maps = [seat_map_of(new_uuid(), rows=[10]) for _ in range(count)]
        self.documents = {seat_map.version: orjson.dumps(to_document(seat_map)).decode() for seat_map in maps}
        self.asked: list[list[str]] = []

    async def fetch(self, _statement: str, versions: list[str]) -> list[dict[str, Any]]:
        """See `Database.fetch`."""
        self.asked.append(versions)
        await asyncio.sleep(0)
        return [
            {"version": version, "layout": self.documents[version]}
            for version in versions
            if version in self.documents
        ]


def cache_of(shelf: Shelf) -> LayoutCache:
    return LayoutCache(cast("Database", shelf))


async def test_many_maps_are_read_in_one_query_and_then_kept() -> None:
    shelf = Shelf(5)
    cache, versions = cache_of(shelf), list(shelf.documents)

    first = await cache.many([*versions, versions[0]])
    again = await cache.many(versions)

    assert len(shelf.asked) == 1
    assert sorted(first) == sorted(versions)
    assert all(again[version] is first[version] for version in versions)


async def test_callers_at_once_share_one_read() -> None:
    shelf = Shelf(1)
    cache, (version,) = cache_of(shelf), shelf.documents

    found = await asyncio.gather(*(cache.get(version) for _ in range(20)))

    assert len(shelf.asked) == 1
    assert all(seat_map is found[0] for seat_map in found)


async def test_a_version_that_there_is_not_is_refused() -> None:
    with pytest.raises(NotFound):
        await cache_of(Shelf(0)).get("nothing")


async def test_the_map_used_longest_ago_goes_when_there_is_no_room() -> None:
    shelf = Shelf(4)
    cache = LayoutCache(cast("Database", shelf), max_bytes=3 * 11_000)
    versions = list(shelf.documents)
    for version in versions[:3]:
        await cache.get(version)
    await cache.get(versions[0])

    await cache.get(versions[3])
    shelf.asked.clear()
    await cache.many([versions[0], versions[2], versions[3]])
    assert shelf.asked == []
    await cache.get(versions[1])

    assert shelf.asked == [[versions[1]]]
