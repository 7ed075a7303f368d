"""Rebuild the index: fill a second index from the database, and swap it in."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from db.leadership import Leadership
from db.queries import search as rows
from db.queries.leases import Lease, check_lease, fenced
from db.session import Connection, Database
from domain.errors import BoxofficeError
from search.documents import vocabulary
from search.engine_settings import fingerprint
from search.index import DocumentsRejected
from services.search.deliver_changes import Administration, write_documents
from services.search.record_documents import EventDocument, facts_of, record_events

# The events that one transaction of a rebuild records.
_REBUILD_BATCH = 2000
# A rebuild's documents are sent in parcels. The engine merges waiting parcels into a batch and pays its fixed
# costs (merging, the dictionary, its prefixes) once. A change of a served index waits behind the parcels in
# flight, so there are fewer of them while one is served.
PARCEL_BYTES = 16 * 2**20
_PARCELS_IN_FLIGHT, _PARCELS_WHILE_SERVING = 8, 2
REBUILD = "search rebuild"
_FIRST = UUID(int=0)


class ReindexRunning(BoxofficeError):
    """The search index is being rebuilt already; wait for that to end."""

    code = "REINDEX_RUNNING"


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a rebuild, in documents."""

    done: int
    total: int


async def rebuild(
    database: Database,
    engine: Administration,
    report: Callable[[Progress], None] = lambda _: None,
    *,
    parcel_bytes: int = PARCEL_BYTES,
) -> int:
    """Build a second index from the database, swap it in, and return the number of its documents.

    It may be interrupted at any point: the served index stays, changes still reach it, and the next rebuild
    removes the remains.

    What a rebuild writes to PostgreSQL is fenced by its lease. Its index in the engine is named by the
    lease's token, and the next rebuild removes it: one that has lost its lease fills no index of another,
    and its swap finds nothing.

    Raises:
        ReindexRunning: Another rebuild is under way.
        IndexUnavailable: The engine does not answer.
        LeaseLost: This process was frozen or cut off, and another rebuild has begun.
    """
    leadership = Leadership(database, REBUILD)
    lease = await leadership.lease()
    if lease is None:
        raise ReindexRunning
    try:
        async with database.connection() as connection:
            return await _Rebuild(connection, engine, lease).run(report, parcel_bytes)
    finally:
        await leadership.resign()


async def recover_rebuild(database: Database) -> bool:
    """Mark the changes again that happened during a rebuild which died between its swap and its end."""
    async with database.connection() as connection:
        if not (await rows.read_build(connection)).rebuilding:
            return False
    leadership = Leadership(database, REBUILD)
    lease = await leadership.lease()
    if lease is None:
        return False
    try:
        async with database.transaction() as connection:
            await rows.finish_build(connection, None)
            await check_lease(connection, lease)
    finally:
        await leadership.resign()
    return True


async def needs_rebuild(connection: Connection, engine: Administration, lease: Lease) -> bool:
    """Return whether the served index is missing, or was built by another version of the settings.

    Raises:
        IndexUnavailable: The engine does not answer.
        LeaseLost: Another process leads.
    """
    build = await rows.read_build(connection)
    if not await asyncio.to_thread(engine.is_built):
        if build.ready:
            async with fenced(connection, lease):
                await rows.stop_serving(connection)
        return True
    return not build.ready or build.fingerprint != fingerprint()


class _Rebuild:
    """A rebuild by the holder of the lease; each of its transactions ends with the check of that."""

    def __init__(self, connection: Connection, engine: Administration, lease: Lease) -> None:
        self._connection = connection
        self._engine = engine
        self._lease = lease

    async def run(self, report: Callable[[Progress], None], parcel_bytes: int) -> int:
        """Run it, and return the number of documents."""
        connection, engine = self._connection, self._engine
        await asyncio.to_thread(engine.begin_next, self._lease.token)
        keep_serving = await asyncio.to_thread(engine.is_built)
        async with fenced(connection, self._lease):
            await rows.begin_build(connection, keep_serving=keep_serving)
        covered = await rows.last_settled_entry(connection)
        swapped = False
        try:
            in_flight = _PARCELS_WHILE_SERVING if keep_serving else _PARCELS_IN_FLIGHT
            filling = _Filling(connection, engine, self._lease, report, parcel_bytes, in_flight)
            done = await filling.run()
            await check_lease(connection, self._lease)
            await asyncio.to_thread(engine.swap_next)
            swapped = True
        finally:
            async with fenced(connection, self._lease):
                await rows.finish_build(connection, fingerprint() if swapped else None)
        async with fenced(connection, self._lease):
            await rows.remove_covered(connection, covered)
        return done


class _Parcel:
    """Documents that are sent together."""

    def __init__(self) -> None:
        self.events: list[UUID] = []
        self.packed: list[bytes] = []
        self.size_bytes = 0
        self.task: int | None = None

    def add(self, events: Sequence[UUID], packed: bytes) -> None:
        """Add the documents of these events, fewer where some are not published any more."""
        self.events += events
        self.size_bytes += len(packed)
        if packed:
            self.packed.append(packed)


class _Filling:
    """Fills the second index: records events while the engine indexes the ones before."""

    def __init__(
        self,
        connection: Connection,
        engine: Administration,
        lease: Lease,
        report: Callable[[Progress], None],
        parcel_bytes: int,
        max_in_flight: int,
    ) -> None:
        self._connection = connection
        self._engine = engine
        self._lease = lease
        self._report = report
        self._parcel_bytes = parcel_bytes
        self._max_in_flight = max_in_flight
        self._in_flight: deque[_Parcel] = deque()
        self._known_words: set[str] = set()
        self._done = self._total = 0

    async def run(self) -> int:
        """Run until the engine has ended every task, and return the number of events."""
        self._total = await rows.count_published(self._connection)
        self._report(Progress(0, self._total))
        after, parcel = _FIRST, _Parcel()
        while events := await rows.read_published(self._connection, after, _REBUILD_BATCH):
            parcel.add(events, await self._recorded(events))
            after = events[-1]
            if parcel.size_bytes >= self._parcel_bytes:
                await self._send(parcel)
                parcel = _Parcel()
        await self._send(parcel)
        while self._in_flight:
            await self._settle_oldest()
        return self._done

    async def _recorded(self, events: Sequence[UUID]) -> bytes:
        """Record these events, and return their documents in the engine's format."""
        async with fenced(self._connection, self._lease):
            found = await record_events(self._connection, events, self._known_words)
        for each in found:
            self._known_words |= vocabulary(each.words)
        return await asyncio.to_thread(lambda: self._engine.pack([each.document() for each in found]))

    async def _send(self, parcel: _Parcel) -> None:
        while len(self._in_flight) >= self._max_in_flight:
            await self._settle_oldest()
        try:
            if parcel.packed:
                await check_lease(self._connection, self._lease)
                parcel.task = await asyncio.to_thread(self._engine.send_next, parcel.packed)
        except DocumentsRejected:
            await self._park_rejected(parcel)
            self._advance(len(parcel.events))
        else:
            parcel.packed.clear()
            self._in_flight.append(parcel)

    async def _settle_oldest(self) -> None:
        parcel = self._in_flight.popleft()
        try:
            if parcel.task is not None:
                await asyncio.to_thread(self._engine.wait_for, parcel.task)
        except DocumentsRejected:
            await self._park_rejected(parcel)
        self._advance(len(parcel.events))

    async def _park_rejected(self, parcel: _Parcel) -> None:
        """Send a rejected parcel again in parts."""
        for start in range(0, len(parcel.events), _REBUILD_BATCH):
            events = parcel.events[start : start + _REBUILD_BATCH]
            facts = facts_of(await rows.read_facts(self._connection, events))
            found = [EventDocument.of(each) for each in facts]
            refused = await asyncio.to_thread(write_documents, self._engine.write_next, found)
            async with fenced(self._connection, self._lease):
                await rows.park_refused(self._connection, refused)

    def _advance(self, number: int) -> None:
        self._done += number
        self._report(Progress(self._done, max(self._done, self._total)))
