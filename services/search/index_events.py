"""The second half of indexing: what changed reaches the engine, batch by batch, and full rebuilds."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from db.queries import search as rows
from db.session import DATABASE_AWAY, Connection, Database
from domain.errors import BoxofficeError
from domain.ids import Kind, public_id
from search.documents import vocabulary
from search.engine_settings import fingerprint
from search.index import DocumentsRejected
from services.search.record_documents import Recorded, facts_of, record_events

BATCH = 1000
# What one transaction of a rebuild records.
_REBUILD_BATCH = 2000
# A rebuild's documents are posted in parcels: what waits at the engine is taken as one batch, whose fixed
# costs (merging, the dictionary, its prefixes) are then paid once. A change of a served index waits behind
# what is on its way, so that is less while one is served.
PARCEL_BYTES = 16 * 2**20
_PARCELS_ON_THE_WAY, _PARCELS_WHILE_SERVING = 8, 2
# Any constants do; the sessions that hold them are the leader and the one rebuilder.
REBUILD_LOCK = 0x0B0F_5EA2
_FIRST = UUID(int=0)


class ReindexRunning(BoxofficeError):
    """The search index is being rebuilt already; wait for that to end."""

    code = "REINDEX_RUNNING"


class Administration(Protocol):
    """The engine as the indexer sees it; every call blocks until the engine has judged it."""

    def is_built(self) -> bool: ...
    def write(self, documents: Sequence[dict[str, Any]]) -> None: ...
    def write_next(self, documents: Sequence[dict[str, Any]]) -> None: ...
    def pack(self, documents: Sequence[dict[str, Any]]) -> bytes: ...
    def send_next(self, packed: Sequence[bytes]) -> int: ...
    def wait_for(self, task: int) -> None: ...
    def delete(self, ids: Sequence[str]) -> None: ...
    def begin_next(self) -> None: ...
    def swap_next(self) -> None: ...
    def drop_next(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rebuild is."""

    done: int
    total: int


async def deliver_changes(connection: Connection, engine: Administration, in_flight: set[UUID]) -> int:
    """Bring the engine up to date with one batch of recorded changes; how many entries it was.

    The entries are forgotten only after the engine has taken the documents; a refused document is
    parked with its reason and holds up nothing. `in_flight` names the events whose documents were
    sent and whose entries are not known to be settled.

    Raises:
        IndexUnavailable: the engine does not answer; the entries stay.
    """
    build = await rows.read_build(connection)
    keys = await rows.read_undelivered(connection, BATCH)
    if not keys.entries:
        return 0
    facts = facts_of(await rows.read_facts(connection, keys.events))
    found = await asyncio.to_thread(lambda: [Recorded.of(each) for each in facts])
    present = {each.facts.id for each in found}
    gone = [event_id for event_id in keys.events if event_id not in present]
    in_flight.update(keys.events)
    refused = await asyncio.to_thread(_deliver, engine, found, gone)
    async with connection.transaction():
        await rows.clear_refusals(connection, keys.events)
        await rows.park_refused(connection, refused)
        await rows.settle_delivery(connection, keys, build.generation)
    in_flight.clear()
    return len(keys.entries)


async def rebuild(
    database: Database,
    engine: Administration,
    report: Callable[[Progress], None] = lambda _: None,
    *,
    parcel_bytes: int = PARCEL_BYTES,
) -> int:
    """Build a second index from the database and swap it in; how many documents it holds.

    Safe to interrupt at any point: the served index stays, what changed meanwhile reaches it as
    ever, and what an interrupted build left is removed by the next one.

    Raises:
        ReindexRunning: another rebuild is under way.
        IndexUnavailable: the engine does not answer.
    """
    async with database.connection() as connection:
        if not await rows.try_lock(connection, REBUILD_LOCK):
            raise ReindexRunning
        try:
            return await _rebuild_alone(connection, engine, report, parcel_bytes)
        finally:
            with contextlib.suppress(*DATABASE_AWAY):  # the lock is gone with its session, then
                await asyncio.shield(rows.unlock(connection, REBUILD_LOCK))


async def recover_rebuild(connection: Connection) -> bool:
    """Mark again what changed during a rebuild that died between its swap and its end."""
    if not (await rows.read_build(connection)).rebuilding:
        return False
    if not await rows.try_lock(connection, REBUILD_LOCK):
        return False
    try:
        async with connection.transaction():
            await rows.finish_build(connection, None)
    finally:
        await rows.unlock(connection, REBUILD_LOCK)
    return True


async def needs_rebuild(connection: Connection, engine: Administration) -> bool:
    """Whether the served index is missing, or was made by another version of the settings.

    Raises:
        IndexUnavailable: the engine does not answer.
    """
    build = await rows.read_build(connection)
    if not await asyncio.to_thread(engine.is_built):
        if build.ready:
            await rows.stop_serving(connection)
        return True
    return not build.ready or build.fingerprint != fingerprint()


async def standing(database: Database) -> str:
    """How the index stands, for a person: ready or not, how far behind, what was refused and why."""
    async with database.connection() as connection:
        state = await connection.fetchrow(rows.STANDING)
        refusals = await rows.read_refusals(connection, 5)
    if state is None:
        return "not migrated"
    built = "ready" if state["ready"] else "ready, the database answers (no index was built)"
    refused = [f"{public_id(Kind.EVENT, event_id)}: {error}" for event_id, error in refusals]
    reasons = f" ({'; '.join(refused)})" if refused else ""
    return f"{built}, {state['lag_seconds']:.1f} s behind, {state['refused']} refused{reasons}"


async def _rebuild_alone(
    connection: Connection,
    engine: Administration,
    report: Callable[[Progress], None],
    parcel_bytes: int,
) -> int:
    await asyncio.to_thread(engine.begin_next)
    keep_serving = await asyncio.to_thread(engine.is_built)
    async with connection.transaction():
        await rows.begin_build(connection, keep_serving=keep_serving)
    covered = await rows.last_settled_entry(connection)
    swapped = False
    try:
        most = _PARCELS_WHILE_SERVING if keep_serving else _PARCELS_ON_THE_WAY
        done = await _Filling(connection, engine, report, parcel_bytes, most).run()
        await asyncio.to_thread(engine.swap_next)
        swapped = True
    finally:
        async with connection.transaction():
            await rows.finish_build(connection, fingerprint() if swapped else None)
    async with connection.transaction():
        await rows.remove_covered(connection, covered)
    return done


class _Parcel:
    """Documents that are posted together."""

    def __init__(self) -> None:
        self.events: list[UUID] = []
        self.packed: list[bytes] = []
        self.size_bytes = 0
        self.task: int | None = None

    def add(self, events: Sequence[UUID], packed: bytes) -> None:
        """The documents of these events; fewer where some have gone."""
        self.events += events
        self.size_bytes += len(packed)
        if packed:
            self.packed.append(packed)


class _Filling:
    """All published events into the second index, recorded here while the engine digests the last ones."""

    def __init__(
        self,
        connection: Connection,
        engine: Administration,
        report: Callable[[Progress], None],
        parcel_bytes: int,
        most_on_the_way: int,
    ) -> None:
        self._connection = connection
        self._engine = engine
        self._report = report
        self._parcel_bytes = parcel_bytes
        self._most_on_the_way = most_on_the_way
        self._on_the_way: deque[_Parcel] = deque()
        self._known_words: set[str] = set()
        self._done = self._total = 0

    async def run(self) -> int:
        """Until the engine has judged everything; how many events it was."""
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
        while self._on_the_way:
            await self._settle_oldest()
        return self._done

    async def _recorded(self, events: Sequence[UUID]) -> bytes:
        """Record these events; their documents as the engine takes them."""
        async with self._connection.transaction():
            found = await record_events(self._connection, events, self._known_words)
        for each in found:
            self._known_words |= vocabulary(each.words)
        return await asyncio.to_thread(lambda: self._engine.pack([each.document() for each in found]))

    async def _send(self, parcel: _Parcel) -> None:
        while len(self._on_the_way) >= self._most_on_the_way:
            await self._settle_oldest()
        try:
            if parcel.packed:
                parcel.task = await asyncio.to_thread(self._engine.send_next, parcel.packed)
        except DocumentsRejected:
            await self._park_bad_ones(parcel)
            self._advance(len(parcel.events))
        else:
            parcel.packed.clear()
            self._on_the_way.append(parcel)

    async def _settle_oldest(self) -> None:
        parcel = self._on_the_way.popleft()
        try:
            if parcel.task is not None:
                await asyncio.to_thread(self._engine.wait_for, parcel.task)
        except DocumentsRejected:
            await self._park_bad_ones(parcel)
        self._advance(len(parcel.events))

    async def _park_bad_ones(self, parcel: _Parcel) -> None:
        """Send a refused parcel in parts."""
        for start in range(0, len(parcel.events), _REBUILD_BATCH):
            events = parcel.events[start : start + _REBUILD_BATCH]
            facts = facts_of(await rows.read_facts(self._connection, events))
            found = [Recorded.of(each) for each in facts]
            refused = await asyncio.to_thread(_write, self._engine.write_next, found)
            await rows.park_refused(self._connection, refused)

    def _advance(self, number: int) -> None:
        self._done += number
        self._report(Progress(self._done, max(self._done, self._total)))


def _deliver(
    engine: Administration, found: Sequence[Recorded], gone: Sequence[UUID]
) -> list[tuple[UUID, str]]:
    engine.delete([public_id(Kind.EVENT, event_id) for event_id in gone])
    refused = _write(engine.write, found)
    # An older version of a refused document must not be found in its place.
    engine.delete([public_id(Kind.EVENT, event_id) for event_id, _ in refused])
    return refused


def _write(
    write: Callable[[Sequence[dict[str, Any]]], None], found: Sequence[Recorded]
) -> list[tuple[UUID, str]]:
    """Write a batch; halve it where it is refused, until only the bad documents are left over."""
    if not found:
        return []
    try:
        write([each.document() for each in found])
    except DocumentsRejected as refusal:
        if len(found) == 1:
            return [(found[0].facts.id, str(refusal)[:500])]
        middle = len(found) // 2
        return _write(write, found[:middle]) + _write(write, found[middle:])
    return []
