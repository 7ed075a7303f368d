"""The dirty-key outbox, the rows that documents are built from, and the documents in PostgreSQL."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from db.session import Connection, LockTimedOut

_FACTS = """
SELECT e.id, e.name, e.description, e.category, e.starts_at, e.ends_at, e.off_sale_at,
       e.price_from, e.price_to, e.currency, e.sold_out,
       e.venue_id, v.name AS venue, coalesce(v.address, '') AS address, v.city, v.country, v.timezone,
       bill.names, bill.bios, bill.genres
FROM events e
JOIN venues v ON v.id = e.venue_id
CROSS JOIN LATERAL (
    SELECT array_agg(p.name ORDER BY ep.position) AS names,
           array_agg(left(coalesce(p.bio, ''), 300) ORDER BY ep.position) AS bios,
           array_agg(array_to_string(p.genres, ' ') ORDER BY ep.position) AS genres
    FROM event_performers ep JOIN performers p ON p.id = ep.performer_id
    WHERE ep.event_id = e.id
) bill
WHERE e.state = 'PUBLISHED' AND e.id = ANY($1::uuid[])
"""


# Any constant serves.
_RECORDING_LOCK = 0x0B0F_5EA3


@dataclass(frozen=True, slots=True)
class DirtyKeys:
    """Outbox entries of one read, and the events that they name."""

    entries: tuple[int, ...]
    events: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Build:
    """The build of the index that serves."""

    generation: int
    ready: bool
    rebuilding: bool
    fingerprint: str | None


async def read_unrecorded(connection: Connection, most: int) -> DirtyKeys:
    """Changes that are not yet in the documents in PostgreSQL, oldest first."""
    return await _read_keys(connection, "NOT recorded", most)


async def read_undelivered(connection: Connection, most: int) -> DirtyKeys:
    """Changes that are not yet in the engine's index, oldest first."""
    return await _read_keys(connection, "recorded", most)


async def read_facts(connection: Connection, events: Sequence[UUID]) -> list[Any]:
    """The rows of the published ones among `events`; the others must not be in the index."""
    rows: list[Any] = await connection.fetch(_FACTS, events)
    return rows


async def read_published(connection: Connection, after: UUID, most: int) -> list[UUID]:
    """The next published events in the order of their ids."""
    rows = await connection.fetch(
        "SELECT id FROM events WHERE state = 'PUBLISHED' AND id > $1 ORDER BY id LIMIT $2", after, most
    )
    return [row["id"] for row in rows]


async def count_published(connection: Connection) -> int:
    """The number of documents of a full index."""
    count: int = await connection.fetchval("SELECT count(*) FROM events WHERE state = 'PUBLISHED'")
    return count


async def lock_recording(connection: Connection) -> None:
    """Wait for the exclusive right to write documents, held until this transaction ends."""
    # Who holds it and is frozen loses it within seconds: see `while_alive`.
    await connection.execute(
        "SET LOCAL lock_timeout = '30s'; SET LOCAL statement_timeout = '60s'; "
        "SET LOCAL idle_in_transaction_session_timeout = '6s'"
    )
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _RECORDING_LOCK)


async def record_documents(
    connection: Connection, documents: Sequence[tuple[UUID, str]], gone: Sequence[UUID]
) -> None:
    """Write the documents in PostgreSQL and remove those of events that are not published."""
    if documents:
        await connection.execute(
            """
            INSERT INTO search_documents (event_id, words)
            SELECT event_id, words::tsvector FROM unnest($1::uuid[], $2::text[]) AS d (event_id, words)
            WHERE EXISTS (SELECT FROM events e WHERE e.id = d.event_id)
            ON CONFLICT (event_id) DO UPDATE SET words = excluded.words
            WHERE search_documents.words IS DISTINCT FROM excluded.words
            """,
            [event_id for event_id, _ in documents],
            [words for _, words in documents],
        )
    if gone:
        await connection.execute("DELETE FROM search_documents WHERE event_id = ANY($1::uuid[])", gone)


async def record_words(connection: Connection, words: Iterable[str]) -> None:
    """Add words to the vocabulary; sorted, so that two writers cannot deadlock."""
    await connection.execute(
        "INSERT INTO search_words (word) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING",
        sorted(set(words)),
    )


async def mark_recorded(connection: Connection, keys: DirtyKeys) -> None:
    """Mark these entries as written in PostgreSQL; the engine's index still lacks them."""
    await connection.execute(
        "UPDATE search_outbox SET recorded = true WHERE id = ANY($1::bigint[])", keys.entries
    )


async def remove_entries(connection: Connection, keys: DirtyKeys) -> None:
    """Delete these entries: their changes are indexed."""
    await connection.execute("DELETE FROM search_outbox WHERE id = ANY($1::bigint[])", keys.entries)


async def settle_delivery(connection: Connection, keys: DirtyKeys, generation: int) -> bool:
    """Delete indexed entries; False, with the events marked dirty, where another build was swapped in since.

    During a build the events are remembered, to be indexed again after the swap. Call it in a
    transaction: it locks the state row, so that no swap can happen in between.
    """
    build = await connection.fetchrow(
        "SELECT generation, rebuilding FROM search_state WHERE id = 1 FOR SHARE"
    )
    if build is None or build["generation"] != generation:
        await mark_dirty(connection, keys.events)
        await remove_entries(connection, keys)
        return False
    if build["rebuilding"]:
        await connection.execute(
            "INSERT INTO search_remarks (event_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING",
            keys.events,
        )
    await remove_entries(connection, keys)
    return True


async def mark_dirty(connection: Connection, events: Sequence[UUID]) -> None:
    """Mark these events as dirty, as a trigger does."""
    await connection.execute(
        "INSERT INTO search_outbox (event_id) SELECT unnest($1::uuid[])", sorted(set(events))
    )


async def mark_outdated(connection: Connection, version: int) -> bool:
    """Mark every published event as dirty where the documents in PostgreSQL are of another version."""
    async with connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = '60s'")
        outdated = await connection.fetchval(
            "UPDATE search_state SET documents_version = $1 "
            "WHERE id = 1 AND documents_version IS DISTINCT FROM $1 RETURNING true",
            version,
        )
        if outdated:
            await connection.execute(
                "INSERT INTO search_outbox (event_id) SELECT id FROM events WHERE state = 'PUBLISHED'",
                timeout=90,
            )
    return bool(outdated)


async def park_refused(connection: Connection, refused: Sequence[tuple[UUID, str]]) -> None:
    """Store the engine's reasons for refusing these documents."""
    await connection.executemany(
        """
        INSERT INTO search_refusals (event_id, error) VALUES ($1, $2)
        ON CONFLICT (event_id) DO UPDATE SET error = excluded.error, refused_at = now()
        """,
        refused,
    )


async def clear_refusals(connection: Connection, events: Sequence[UUID]) -> None:
    """Delete refusals: the documents were accepted since, or are gone."""
    await connection.execute("DELETE FROM search_refusals WHERE event_id = ANY($1::uuid[])", events)


async def read_build(connection: Connection) -> Build:
    """The build that serves."""
    row = await connection.fetchrow(
        "SELECT generation, ready, rebuilding, fingerprint FROM search_state WHERE id = 1"
    )
    return Build(**row) if row else Build(0, False, False, None)


async def begin_build(connection: Connection, *, keep_serving: bool) -> None:
    """Begin a build: from now on the events that are indexed are also remembered."""
    await connection.execute(
        "UPDATE search_state SET rebuilding = true, ready = ready AND $1, updated_at = now() WHERE id = 1",
        keep_serving,
    )
    await connection.execute("DELETE FROM search_remarks")


async def finish_build(connection: Connection, fingerprint: str | None) -> int:
    """Serve the new build and mark as dirty what changed during it; returns the number of marked events.

    Call it in a transaction. Without a fingerprint no swap is certain: the events are marked, and the
    previous build goes on serving.
    """
    await connection.execute(
        """
        UPDATE search_state SET rebuilding = false, generation = generation + 1, updated_at = now(),
               ready = ready OR $1::text IS NOT NULL, fingerprint = coalesce($1::text, fingerprint)
        WHERE id = 1
        """,
        fingerprint,
    )
    marks = await connection.fetchval(
        """
        WITH remarked AS (DELETE FROM search_remarks RETURNING event_id),
             marked AS (INSERT INTO search_outbox (event_id) SELECT event_id FROM remarked RETURNING 1)
        SELECT count(*) FROM marked
        """
    )
    return int(marks)


async def last_settled_entry(connection: Connection) -> int:
    """The last outbox entry before which no transaction can add another; 0 where that is unknown.

    Ids are assigned before the commit. So this waits for the transactions that write entries, a second at
    most, and blocks new ones meanwhile.
    """
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL lock_timeout = '1s'")
            await connection.execute("LOCK TABLE search_outbox IN SHARE MODE")
            last: int = await connection.fetchval("SELECT coalesce(max(id), 0) FROM search_outbox")
    except LockTimedOut:
        return 0
    return last


async def remove_covered(connection: Connection, last: int) -> None:
    """Delete entries up to `last`: a build that read every event later has indexed their changes.

    A build does not read unpublished events; their entries stay, so that their documents are removed.
    """
    await connection.execute("SET LOCAL statement_timeout = '60s'")
    await connection.execute(
        """
        DELETE FROM search_outbox WHERE id <= $1 AND (
            recorded OR EXISTS (SELECT FROM events e WHERE e.id = event_id AND e.state = 'PUBLISHED'))
        """,
        last,
        timeout=90,
    )


async def stop_serving(connection: Connection) -> None:
    """Record that the engine has lost its index: search falls back until the next build."""
    await connection.execute(
        "UPDATE search_state SET ready = false, generation = generation + 1, updated_at = now() WHERE id = 1"
    )


async def _read_keys(connection: Connection, condition: str, most: int) -> DirtyKeys:
    """The oldest entries, with the later ones of the same events: one document covers them all.

    Two statements: PostgreSQL plans a join for the nearly empty table that the outbox mostly is, and such
    a plan takes ten seconds when the table holds 50,000 entries.
    """
    oldest = await connection.fetch(
        f"SELECT event_id FROM search_outbox WHERE {condition} ORDER BY id LIMIT $1", most
    )
    events = list({row["event_id"] for row in oldest})
    if not events:
        return DirtyKeys((), ())
    return _dirty_keys(
        await connection.fetch(
            f"SELECT id, event_id FROM search_outbox WHERE event_id = ANY($1::uuid[]) AND {condition} "
            "ORDER BY id",
            events,
        )
    )


def _dirty_keys(rows: Iterable[Any]) -> DirtyKeys:
    found = [(row["id"], row["event_id"]) for row in rows]
    return DirtyKeys(tuple(entry for entry, _ in found), tuple(dict.fromkeys(event for _, event in found)))


# `lag_seconds` is the age of the oldest change that the engine's index lacks.
STANDING = """
SELECT ready, (SELECT count(*) FROM search_refusals)::int AS refused, greatest(0, coalesce(
    extract(epoch FROM clock_timestamp() - (SELECT created_at FROM search_outbox ORDER BY id LIMIT 1)), 0
))::float8 AS lag_seconds
FROM search_state WHERE id = 1
"""


async def read_refusals(connection: Connection, most: int) -> list[tuple[UUID, str]]:
    """The documents that the engine refused last, with its reasons."""
    rows = await connection.fetch(
        "SELECT event_id, error FROM search_refusals ORDER BY refused_at DESC LIMIT $1", most
    )
    return [(row["event_id"], row["error"]) for row in rows]
