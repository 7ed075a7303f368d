"""The first half of indexing: changes become documents of the database's own."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from db.queries import search as rows
from db.session import Connection
from search.documents import EventFacts, PerformerFacts, SearchWords, text_vector, vocabulary

BATCH = 1000
_COPIED = [column.name for column in fields(EventFacts) if column.name != "performers"]


async def record_changes(connection: Connection, *, has_engine: bool) -> int:
    """Bring the database's documents up to date with one batch of changes; how many entries it was.

    The entries stay for the engine's delivery where there is an engine. Everything happens in one
    transaction, so that a crash repeats it and loses nothing.
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
    return len(keys.entries)


async def record_events(connection: Connection, events: Sequence[UUID]) -> list[EventFacts]:
    """Write these events' documents and words, or remove them; the facts of those that stay.

    Call in a transaction: no one else may read older facts and write them later.
    """
    await rows.lock_recording(connection)
    found = facts_of(await rows.read_facts(connection, events))
    words = {facts.id: SearchWords.of(facts) for facts in found}
    documents = [(event_id, text_vector(spelt)) for event_id, spelt in words.items()]
    gone = [event_id for event_id in events if event_id not in words]
    await rows.record_documents(connection, documents, gone)
    await rows.record_words(connection, set().union(*map(vocabulary, words.values())))
    return found


def facts_of(records: Iterable[Any]) -> list[EventFacts]:
    """The facts in the rows of `read_facts`."""
    return [EventFacts(**{name: row[name] for name in _COPIED}, performers=_bill(row)) for row in records]


def _bill(row: Any) -> tuple[PerformerFacts, ...]:
    performers = zip(row["names"] or (), row["bios"] or (), row["genres"] or (), strict=True)
    return tuple(PerformerFacts(name, bio, (genres,)) for name, bio, genres in performers)
