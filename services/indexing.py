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
from search.index import DocumentsRefused
from services.recording import Recorded, facts_of, record_events

BATCH = 1000
# A rebuild's: what one transaction records, and how many such are with the engine at once.
_REBUILD_BATCH = 2000
_MOST_IN_FLIGHT = 20
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
    def send_next(self, documents: Sequence[dict[str, Any]]) -> int: ...
    def judge(self, task: int) -> None: ...
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
        IndexAway: the engine does not answer; the entries stay.
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
    database: Database, engine: Administration, report: Callable[[Progress], None] = lambda _: None
) -> int:
    """Build a second index from the database and swap it in; how many documents it holds.

    Safe to interrupt at any point: the served index stays, what changed meanwhile reaches it as
    ever, and what an interrupted build left is removed by the next one.

    Raises:
        ReindexRunning: another rebuild is under way.
        IndexAway: the engine does not answer.
    """
    async with database.connection() as connection:
        if not await rows.try_lock(connection, REBUILD_LOCK):
            raise ReindexRunning
        try:
            return await _rebuild_alone(connection, engine, report)
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
        IndexAway: the engine does not answer.
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
    connection: Connection, engine: Administration, report: Callable[[Progress], None]
) -> int:
    await asyncio.to_thread(engine.begin_next)
    keep_serving = await asyncio.to_thread(engine.is_built)
    async with connection.transaction():
        await rows.begin_build(connection, keep_serving=keep_serving)
    covered = await rows.last_settled_entry(connection)
    swapped = False
    try:
        done = await _Filling(connection, engine, report).run()
        await asyncio.to_thread(engine.swap_next)
        swapped = True
    finally:
        async with connection.transaction():
            await rows.finish_build(connection, fingerprint() if swapped else None)
    async with connection.transaction():
        await rows.remove_covered(connection, covered)
    return done


class _Filling:
    """All published events into the second index, recorded here while the engine digests the last ones."""

    def __init__(
        self, connection: Connection, engine: Administration, report: Callable[[Progress], None]
    ) -> None:
        self._connection = connection
        self._engine = engine
        self._report = report
        self._sent: deque[tuple[int, list[UUID]]] = deque()
        self._known_words: set[str] = set()
        self._done = self._total = 0

    async def run(self) -> int:
        """Until the engine has judged everything; how many events it was."""
        self._total = await rows.count_published(self._connection)
        self._report(Progress(0, self._total))
        after = _FIRST
        while events := await rows.read_published(self._connection, after, _REBUILD_BATCH):
            await self._send(events)
            after = events[-1]
            if len(self._sent) >= _MOST_IN_FLIGHT:
                await self._settle_oldest()
        while self._sent:
            await self._settle_oldest()
        return self._done

    async def _send(self, events: list[UUID]) -> None:
        async with self._connection.transaction():
            found = await record_events(self._connection, events, self._known_words)
        for each in found:
            self._known_words |= vocabulary(each.words)
        try:
            task = await asyncio.to_thread(self._post, found)
        except DocumentsRefused:
            await self._park_bad_ones(found)
            self._advance(len(events))
        else:
            self._sent.append((task, events))

    def _post(self, found: Sequence[Recorded]) -> int:
        return self._engine.send_next([each.document() for each in found])

    async def _settle_oldest(self) -> None:
        task, events = self._sent.popleft()
        try:
            await asyncio.to_thread(self._engine.judge, task)
        except DocumentsRefused:
            facts = facts_of(await rows.read_facts(self._connection, events))
            await self._park_bad_ones([Recorded.of(each) for each in facts])
        self._advance(len(events))

    async def _park_bad_ones(self, found: Sequence[Recorded]) -> None:
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
    except DocumentsRefused as refusal:
        if len(found) == 1:
            return [(found[0].facts.id, str(refusal)[:500])]
        middle = len(found) // 2
        return _write(write, found[:middle]) + _write(write, found[middle:])
    return []
