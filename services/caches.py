"""The rows that use cases read again and again: the terms of sales, and seat maps."""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from db.queries.sales import SaleRow, sale_by_event
from db.queries.seat_maps import layouts_by_version
from db.session import Database
from domain.errors import NotFound
from domain.layout import SeatMap
from domain.layout_document import from_json
from kit.cache import Cache

_SALE_SECONDS = 1.0
_MAX_SALES = 4_096
# An arena's map takes about 10 MB and a club's a few kB.
_BYTES_PER_SEAT = 100
_BYTES_PER_MAP = 10_000
_MAX_MAP_BYTES = 12_000_000
_LARGE_DOCUMENT_CHARACTERS = 50_000


class SaleCache:
    """The terms of sales, at most a second old; None where there is no such event."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sales: Cache[UUID, SaleRow | None] = Cache(max_entries=_MAX_SALES, ttl_seconds=_SALE_SECONDS)

    async def get(self, event_id: UUID) -> SaleRow | None:
        """Return the terms of an event's sale."""
        return await self._sales.get_or_load(event_id, self._read)

    def forget(self, event_id: UUID) -> None:
        """Invalidate the terms of an event's sale."""
        self._sales.forget(event_id)

    async def _read(self, event_id: UUID) -> SaleRow | None:
        return await sale_by_event(self._database, event_id)


class LayoutCache:
    """The seat maps that were used last, within a bound on their bytes; a version never changes."""

    def __init__(self, database: Database, *, max_bytes: int = _MAX_MAP_BYTES) -> None:
        self._database = database
        self._maps: Cache[str, SeatMap] = Cache(
            max_entries=max_bytes // _BYTES_PER_MAP,
            max_bytes=max_bytes,
            size_of=_size_bytes,
            keeps_oversized=True,
        )

    async def get(self, version: str) -> SeatMap:
        """Return one seat map.

        Raises:
            NotFound: There is no map of this version.
        """
        found = await self.many([version])
        if version not in found:
            raise NotFound("There is no such seat map.")
        return found[version]

    async def many(self, versions: Sequence[str]) -> dict[str, SeatMap]:
        """Return the seat maps of these versions; one query reads those that are missing."""
        return await self._maps.get_many_or_load(versions, self._read)

    async def _read(self, versions: Sequence[str]) -> Mapping[str, SeatMap]:
        documents = await layouts_by_version(self._database, list(versions))
        return {version: await _parsed(document) for version, document in documents.items()}


async def _parsed(document: str) -> SeatMap:
    """Parse a map; an arena's takes a tenth of a second, in a thread so that other requests go on."""
    if len(document) < _LARGE_DOCUMENT_CHARACTERS:
        return from_json(document)
    return await asyncio.to_thread(from_json, document)


def _size_bytes(seat_map: SeatMap) -> int:
    return _BYTES_PER_MAP + _BYTES_PER_SEAT * seat_map.seat_count
