"""Deliver changes: bring the search engine up to date, batch by batch."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol
from uuid import UUID

from db.queries import search as rows
from db.queries.leases import Lease, check_lease
from db.session import Connection, Database
from domain.ids import Kind, public_id
from search.index import DocumentsRejected
from services.search.record_documents import EventDocument, facts_of

BATCH = 1000


class Administration(Protocol):
    """The administration of the search engine; every call blocks until the engine's task has ended."""

    def is_built(self) -> bool: ...
    def write(self, documents: Sequence[dict[str, Any]]) -> None: ...
    def write_next(self, documents: Sequence[dict[str, Any]]) -> None: ...
    def pack(self, documents: Sequence[dict[str, Any]]) -> bytes: ...
    def send_next(self, packed: Sequence[bytes]) -> int: ...
    def wait_for(self, task: int) -> None: ...
    def delete(self, ids: Sequence[str]) -> None: ...
    def begin_next(self, build: int) -> None: ...
    def swap_next(self) -> None: ...
    def drop_next(self) -> None: ...


async def deliver_changes(
    connection: Connection, engine: Administration, in_flight: set[UUID], lease: Lease
) -> int:
    """Send one batch of recorded changes to the engine, and return the number of entries.

    The entries are deleted only after the engine has accepted the documents. A rejected document is parked
    with its reason and does not delay others. `in_flight` holds the events whose documents were sent and
    whose entries may not be settled.

    The engine knows no fence. The lease is checked before anything is sent, and again when the entries are
    deleted. Documents of a leader that is frozen between the two arrive late: it marks their events again
    when it wakes, and the leader of then sends them as they are.

    Raises:
        IndexUnavailable: the engine does not answer; the entries stay.
        LeaseLost: another process leads; the entries stay.
    """
    build = await rows.read_build(connection)
    keys = await rows.read_undelivered(connection, BATCH)
    if not keys.entries:
        return 0
    facts = facts_of(await rows.read_facts(connection, keys.events))
    found = await asyncio.to_thread(lambda: [EventDocument.of(each) for each in facts])
    present = {each.facts.id for each in found}
    gone = [event_id for event_id in keys.events if event_id not in present]
    await check_lease(connection, lease)
    in_flight.update(keys.events)
    refused = await asyncio.to_thread(_deliver, engine, found, gone)
    async with connection.transaction():
        await rows.clear_refusals(connection, keys.events)
        await rows.park_refused(connection, refused)
        await rows.settle_delivery(connection, keys, build.generation)
        await check_lease(connection, lease)
    in_flight.clear()
    return len(keys.entries)


async def index_standing(database: Database) -> str:
    """Describe the index for a person: ready or not, its lag, and the rejected documents with reasons."""
    async with database.connection() as connection:
        state = await connection.fetchrow(rows.STANDING)
        refusals = await rows.read_refusals(connection, 5)
    if state is None:
        return "not migrated"
    built = "ready" if state["ready"] else "ready, the database answers (no index was built)"
    refused = [f"{public_id(Kind.EVENT, event_id)}: {error}" for event_id, error in refusals]
    reasons = f" ({'; '.join(refused)})" if refused else ""
    return f"{built}, {state['lag_seconds']:.1f} s behind, {state['refused']} refused{reasons}"


def _deliver(
    engine: Administration, found: Sequence[EventDocument], gone: Sequence[UUID]
) -> list[tuple[UUID, str]]:
    engine.delete([public_id(Kind.EVENT, event_id) for event_id in gone])
    refused = write_documents(engine.write, found)
    # An older version of a rejected document must not be found in its place.
    engine.delete([public_id(Kind.EVENT, event_id) for event_id, _ in refused])
    return refused


def write_documents(
    write: Callable[[Sequence[dict[str, Any]]], None], found: Sequence[EventDocument]
) -> list[tuple[UUID, str]]:
    """Write a batch, halving it where it is rejected; return the rejected documents with reasons."""
    if not found:
        return []
    try:
        write([each.document() for each in found])
    except DocumentsRejected as refusal:
        if len(found) == 1:
            return [(found[0].facts.id, str(refusal)[:500])]
        middle = len(found) // 2
        return write_documents(write, found[:middle]) + write_documents(write, found[middle:])
    return []
