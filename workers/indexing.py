"""The loops of search: the leader of a loop is the process whose session holds its lock."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Protocol
from uuid import UUID

from db.queries import search as rows
from db.session import Connection, Database, is_lost
from search.administration import MeilisearchAdministration
from search.engine_settings import DOCUMENT_VERSION
from search.index import IndexUnavailable
from services.search.deliver_changes import Administration, deliver_changes
from services.search.rebuild_index import ReindexRunning, needs_rebuild, rebuild, recover_rebuild
from services.search.record_documents import record_changes
from workers.loops import Loop

# Arbitrary numbers, different from the other advisory locks.
_RECORDER_LOCK = 0x0B0F_5EA0
_DELIVERER_LOCK = 0x0B0F_5EA1
_LOOK_SECONDS = 0.1
_CHECK_SECONDS = 2.0


def indexing_loops(database: Database, engine: Administration | None) -> list[Loop]:
    """Return the loops that record changes in PostgreSQL, and deliver them to an engine if there is one."""
    recorder = Recorder(database, has_engine=engine is not None)
    loops = [Loop("search documents", recorder, _LOOK_SECONDS)]
    if engine is not None:
        loops.append(Loop("search index", Deliverer(database, engine), _LOOK_SECONDS))
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


class Leadership:
    """Leadership by an advisory lock: while the session that holds it lives, no other process leads.

    The session ends with the process, by kill -9 too, and its work is done on this very session: who
    has lost it cannot write, either.
    """

    def __init__(self, database: Database, lock: int) -> None:
        self._database = database
        self._lock = lock
        self._session = AsyncExitStack()
        self._connection: Connection | None = None

    async def connection(self) -> Connection | None:
        """Return the leader's session; None while another process leads."""
        if self._connection is not None and not is_lost(self._connection):
            return self._connection
        await self.resign()
        connection = await self._session.enter_async_context(self._database.connection())
        if not await rows.try_lock(connection, self._lock):
            await self.resign()
            return None
        self._connection = connection
        return connection

    async def resign(self) -> None:
        """Let another process lead; returning the session frees the lock."""
        self._connection = None
        session, self._session = self._session, AsyncExitStack()
        await session.aclose()


class Recorder:
    """Keeps the search documents in PostgreSQL up to date.

    Documents that another version of the code wrote are written again: by the rebuild of the engine's index,
    or, without an engine, here.
    """

    def __init__(self, database: Database, *, has_engine: bool) -> None:
        self._leadership = Leadership(database, _RECORDER_LOCK)
        self._has_engine = has_engine
        self._knows_version = has_engine

    async def __call__(self) -> int:
        connection = await self._leadership.connection()
        if connection is None:
            return 0
        try:
            if not self._knows_version:
                await rows.mark_outdated(connection, DOCUMENT_VERSION)
                self._knows_version = True
            return await record_changes(connection, has_engine=self._has_engine)
        except BaseException:
            await self._leadership.resign()
            raise


class Deliverer:
    """Keeps the engine's index up to date, and builds it where there is none."""

    def __init__(self, database: Database, engine: Administration) -> None:
        self._database = database
        self._engine = engine
        self._leadership = Leadership(database, _DELIVERER_LOCK)
        self._checked_at: float | None = None
        self._in_flight: set[UUID] = set()

    async def __call__(self) -> int:
        await self._mark_in_flight()
        connection = await self._leadership.connection()
        if connection is None:
            return 0
        try:
            await self._check(connection)
            return await deliver_changes(connection, self._engine, self._in_flight)
        except IndexUnavailable:
            self._in_flight.clear()  # the entries are kept, and the engine runs its tasks in order
            self._checked_at = None
            raise
        except BaseException:
            self._checked_at = None
            await self._leadership.resign()
            raise

    async def _mark_in_flight(self) -> None:
        """Mark the events again whose documents were in flight when the session was lost.

        Another leader may have sent newer documents since, and ours may have arrived after them.
        """
        if self._in_flight:
            async with self._database.connection() as connection:
                await rows.mark_dirty(connection, sorted(self._in_flight))
            self._in_flight.clear()

    async def _check(self, connection: Connection) -> None:
        if self._checked_at is not None and time.monotonic() < self._checked_at + _CHECK_SECONDS:
            return
        await recover_rebuild(connection)
        if await needs_rebuild(connection, self._engine):
            try:
                await rebuild(self._database, self._engine)
            except ReindexRunning:
                await asyncio.sleep(_LOOK_SECONDS)
        self._checked_at = time.monotonic()
