"""Seat maps, parsed once a process and kept: a version never changes."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from db.queries.seat_maps import layouts_by_version
from db.session import Database
from domain.errors import NotFound
from domain.layout import SeatMap
from domain.layout_document import from_json

# An arena's map takes about 10 MB, a club's a few kB: so the bound is on places, and a map is worth
# at least this many.
_PLACES_OF_ANY = 100
_LARGE_DOCUMENT = 50_000  # characters


class LayoutCache:
    """The seat maps that were used last, within a bound on their places."""

    def __init__(self, database: Database, *, most_places: int = 120_000) -> None:
        self._database = database
        self._most_places = most_places
        self._maps: OrderedDict[str, SeatMap] = OrderedDict()
        self._places = 0
        self._reading: dict[str, asyncio.Task[dict[str, SeatMap]]] = {}

    async def get(self, version: str) -> SeatMap:
        """One seat map.

        Raises:
            NotFound: there is none of this version.
        """
        found = await self.many([version])
        if version not in found:
            raise NotFound("There is no such seat map.")
        return found[version]

    async def many(self, versions: Sequence[str]) -> dict[str, SeatMap]:
        """The seat maps of these versions; those that are not held are read in one query.

        Callers that want the same map at the same time share one read.
        """
        found: dict[str, SeatMap] = {}
        for version in versions:
            if version in self._maps:
                self._maps.move_to_end(version)
                found[version] = self._maps[version]
        wanted = [version for version in versions if version not in found]
        if wanted:
            await self._read(wanted, found)
        return found

    async def _read(self, wanted: list[str], found: dict[str, SeatMap]) -> None:
        fresh = [version for version in dict.fromkeys(wanted) if version not in self._reading]
        if fresh:
            task = asyncio.ensure_future(self._fetch(fresh))
            self._reading.update(dict.fromkeys(fresh, task))
            task.add_done_callback(lambda _: [self._reading.pop(version, None) for version in fresh])
        for task in {self._reading[version] for version in wanted}:
            answer = await asyncio.shield(task)
            found.update({version: answer[version] for version in wanted if version in answer})

    async def _fetch(self, versions: list[str]) -> dict[str, SeatMap]:
        documents = await layouts_by_version(self._database, versions)
        maps = {version: await _parsed(document) for version, document in documents.items()}
        for version, seat_map in maps.items():
            self._keep(version, seat_map)
        return maps

    def _keep(self, version: str, seat_map: SeatMap) -> None:
        self._maps[version] = seat_map
        self._places += _weight(seat_map)
        while self._places > self._most_places and len(self._maps) > 1:
            self._places -= _weight(self._maps.popitem(last=False)[1])


async def _parsed(document: str) -> SeatMap:
    """An arena takes a tenth of a second: other requests go on meanwhile."""
    if len(document) < _LARGE_DOCUMENT:
        return from_json(document)
    return await asyncio.to_thread(from_json, document)


def _weight(seat_map: SeatMap) -> int:
    return _PLACES_OF_ANY + seat_map.seat_count
