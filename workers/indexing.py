"""The loops of search: each is led by the process that has its lease."""

import asyncio
import time
from typing import Protocol
from uuid import UUID

from db.leadership import Leadership
from db.queries import search as rows
from db.queries.leases import Lease, fenced
from db.session import Connection, Database
from search.administration import MeilisearchAdministration
from search.engine_settings import DOCUMENT_VERSION
from search.index import IndexUnavailable
from services.search.deliver_changes import Administration, deliver_changes
from services.search.rebuild_index import ReindexRunning, needs_rebuild, rebuild, recover_rebuild
from services.search.record_documents import record_changes
from workers.loops import Loop

RECORDING = "search documents"
DELIVERING = "search index"
_LOOK_SECONDS = 0.1
_CHECK_SECONDS = 2.0


def indexing_loops(database: Database, engine: Administration | None, process: str = "") -> list[Loop]:
    """Return the loops that record changes in PostgreSQL, and deliver them to an engine if there is one."""
    recorder = Recorder(database, process, has_engine=engine is not None)
    loops = [Loop(RECORDING, recorder, _LOOK_SECONDS, at_end=recorder.resign)]
    if engine is not None:
        deliverer = Deliverer(database, engine, process)
        loops.append(Loop(DELIVERING, deliverer, _LOOK_SECONDS, at_end=deliverer.resign))
    return loops


class EngineAddress(Protocol):
    """The address and the administration key of the engine."""

    @property
    def meilisearch_url(self) -> str: ...
    @property
    def meilisearch_key(self) -> str: ...


def search_engine(settings: EngineAddress) -> MeilisearchAdministration | None:
    """Return the administration of the engine, if one is configured."""
    if not settings.meilisearch_url:
        return None
    return MeilisearchAdministration(settings.meilisearch_url, settings.meilisearch_key)


class Recorder:
    """Keeps the search documents in PostgreSQL up to date.

    Documents that another version of the code wrote are written again: by the rebuild of the engine's index,
    or, without an engine, here.
    """

    def __init__(self, database: Database, process: str = "", *, has_engine: bool) -> None:
        self._database = database
        self._leadership = Leadership(database, RECORDING, process)
        self.resign = self._leadership.resign
        self._has_engine = has_engine
        self._knows_version = has_engine

    async def __call__(self) -> int:
        lease = await self._leadership.lease()
        if lease is None:
            return 0
        try:
            async with self._database.connection() as connection:
                if not self._knows_version:
                    async with fenced(connection, lease):
                        await rows.mark_outdated(connection, DOCUMENT_VERSION)
                    self._knows_version = True
                return await record_changes(connection, lease, has_engine=self._has_engine)
        except BaseException:
            await self.resign()
            raise


class Deliverer:
    """Keeps the engine's index up to date, and builds it where there is none."""

    def __init__(self, database: Database, engine: Administration, process: str = "") -> None:
        self._database = database
        self._engine = engine
        self._leadership = Leadership(database, DELIVERING, process)
        self.resign = self._leadership.resign
        self._checked_at: float | None = None
        self._in_flight: set[UUID] = set()

    async def __call__(self) -> int:
        await self._mark_in_flight()
        lease = await self._leadership.lease()
        if lease is None:
            return 0
        try:
            async with self._database.connection() as connection:
                await self._check(connection, lease)
                return await deliver_changes(connection, self._engine, self._in_flight, lease)
        except IndexUnavailable:
            self._in_flight.clear()  # the entries are kept, and the engine runs its tasks in order
            self._checked_at = None
            raise
        except BaseException:
            self._checked_at = None
            await self.resign()
            raise

    async def _mark_in_flight(self) -> None:
        """Mark the events again whose documents were in flight when a round failed.

        Another leader may have sent newer documents since, and ours may have arrived after them.
        """
        if self._in_flight:
            async with self._database.connection() as connection:
                await rows.mark_dirty(connection, sorted(self._in_flight))
            self._in_flight.clear()

    async def _check(self, connection: Connection, lease: Lease) -> None:
        if self._checked_at is not None and time.monotonic() < self._checked_at + _CHECK_SECONDS:
            return
        await recover_rebuild(self._database)
        if await needs_rebuild(connection, self._engine, lease):
            try:
                await rebuild(self._database, self._engine)
            except ReindexRunning:
                await asyncio.sleep(_LOOK_SECONDS)
        self._checked_at = time.monotonic()
