"""Record documents: write the search documents of changed events to PostgreSQL."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from db.queries import search as rows
from db.queries.leases import Lease, check_lease
from db.session import Connection, while_alive
from search.documents import EventFacts, PerformerFacts, SearchWords, index_document, text_vector, vocabulary

BATCH = 1000
_COPIED = [column.name for column in fields(EventFacts) if column.name != "performers"]


async def record_changes(connection: Connection, lease: Lease | None = None, *, has_engine: bool) -> int:
    """Record one batch of changes, and return the number of entries.

    With an engine the entries stay for their delivery. Everything happens in one transaction, so that a crash
    repeats it and loses nothing.

    Raises:
        LeaseLost: the lease that fences it is another process's; nothing was recorded.
    """
    async with connection.transaction():
        keys = await rows.read_unrecorded(connection, BATCH)
        if not keys.entries:
            return 0
        await record_events(connection, keys.events)
        if has_engine:
            await rows.mark_recorded(connection, keys)
        else:
            await rows.remove_entries(connection, keys)
        if lease is not None:
            await check_lease(connection, lease)
    return len(keys.entries)


@dataclass(frozen=True, slots=True)
class EventDocument:
    """A published event with its search words."""

    facts: EventFacts
    words: SearchWords

    @classmethod
    def of(cls, facts: EventFacts) -> "EventDocument":
        """Compute an event's words, which is most of the cost of recording."""
        return cls(facts, SearchWords.of(facts))

    def document(self) -> dict[str, Any]:
        """Return the document for the engine."""
        return index_document(self.facts, self.words)


async def record_events(
    connection: Connection, events: Sequence[UUID], known: set[str] | None = None
) -> list[EventDocument]:
    """Write the documents and words of these events, or delete them; return the ones that are published.

    `known` are words that need not be written again; the caller adds the new ones after the commit. Call it
    in a transaction, so that no other process writes older facts later.
    """
    await rows.lock_recording(connection)
    facts = facts_of(await rows.read_facts(connection, events))
    # In a thread, so that the process's other loops go on meanwhile.
    found, documents, words = await while_alive(connection, asyncio.to_thread(_documents, facts))
    present = {event_id for event_id, _ in documents}
    gone = [event_id for event_id in events if event_id not in present]
    await rows.record_documents(connection, documents, gone)
    await rows.record_words(connection, words - (known or set()))
    return found


def _documents(facts: Iterable[EventFacts]) -> tuple[list[EventDocument], list[tuple[UUID, str]], set[str]]:
    found = [EventDocument.of(each) for each in facts]
    documents = [(each.facts.id, text_vector(each.words)) for each in found]
    return found, documents, set().union(*(vocabulary(each.words) for each in found))


def facts_of(records: Iterable[Any]) -> list[EventFacts]:
    """Return the facts in the rows of `read_facts`."""
    return [EventFacts(**{name: row[name] for name in _COPIED}, performers=_bill(row)) for row in records]


def _bill(row: Any) -> tuple[PerformerFacts, ...]:
    performers = zip(row["names"] or (), row["bios"] or (), row["genres"] or (), strict=True)
    return tuple(PerformerFacts(name, bio, (genres,)) for name, bio, genres in performers)
