"""The dirty-key outbox, the facts that a document is made of, and the database's own documents."""

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


# Any constant does.
_RECORDING_LOCK = 0x0B0F_5EA3


@dataclass(frozen=True, slots=True)
class DirtyKeys:
    """Outbox entries as one reading found them, and the events they name."""

    entries: tuple[int, ...]
    events: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Build:
    """Which build of the index is served."""

    generation: int
    ready: bool
    rebuilding: bool
    fingerprint: str | None


async def read_unrecorded(connection: Connection, most: int) -> DirtyKeys:
    """Changes that the database's own documents do not show yet, oldest first."""
    return await _read_keys(connection, "NOT recorded", most)


async def read_undelivered(connection: Connection, most: int) -> DirtyKeys:
    """Changes that the engine does not show yet, oldest first."""
    return await _read_keys(connection, "recorded", most)


async def read_facts(connection: Connection, events: Sequence[UUID]) -> list[Any]:
    """The rows of the published ones among `events`; one that is missing is not to be found."""
    rows: list[Any] = await connection.fetch(_FACTS, events)
    return rows


async def read_published(connection: Connection, after: UUID, most: int) -> list[UUID]:
    """The next published events in the order of their ids, and drafts and others left out."""
    rows = await connection.fetch(
        "SELECT id FROM events WHERE state = 'PUBLISHED' AND id > $1 ORDER BY id LIMIT $2", after, most
    )
    return [row["id"] for row in rows]


async def count_published(connection: Connection) -> int:
    """How many documents a full index has."""
    count: int = await connection.fetchval("SELECT count(*) FROM events WHERE state = 'PUBLISHED'")
    return count


async def lock_recording(connection: Connection) -> None:
    """Wait to be the only one who reads facts and writes documents, until this transaction ends."""
    # What was read is spelt out before it is written: on a busy machine that takes a while.
    await connection.execute(
        "SET LOCAL lock_timeout = '30s'; SET LOCAL statement_timeout = '60s'; "
        "SET LOCAL idle_in_transaction_session_timeout = '60s'"
    )
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _RECORDING_LOCK)


async def record_documents(
    connection: Connection, documents: Sequence[tuple[UUID, str]], gone: Sequence[UUID]
) -> None:
    """Write the database's own documents and remove those of events that are not published."""
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
    """Add to the vocabulary; sorted, so that two writers never wait for each other in a circle."""
    await connection.execute(
        "INSERT INTO search_words (word) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING",
        sorted(set(words)),
    )


async def mark_recorded(connection: Connection, keys: DirtyKeys) -> None:
    """Leave these entries to the engine's delivery alone."""
    await connection.execute(
        "UPDATE search_outbox SET recorded = true WHERE id = ANY($1::bigint[])", keys.entries
    )


async def remove_entries(connection: Connection, keys: DirtyKeys) -> None:
    """Forget these entries: what they announced is delivered."""
    await connection.execute("DELETE FROM search_outbox WHERE id = ANY($1::bigint[])", keys.entries)


async def settle_delivery(connection: Connection, keys: DirtyKeys, generation: int) -> bool:
    """Forget delivered entries, unless another build was swapped in since; false, and marked again, then.

    While a build is under way its keys are remembered, to be delivered again after the swap. Call
    in a transaction: the state row is held, so that no swap can come between.
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
    """Have these events delivered again, as a trigger would."""
    await connection.execute(
        "INSERT INTO search_outbox (event_id) SELECT unnest($1::uuid[])", sorted(set(events))
    )


async def park_refused(connection: Connection, refused: Sequence[tuple[UUID, str]]) -> None:
    """Keep why the engine refused these documents."""
    await connection.executemany(
        """
        INSERT INTO search_refusals (event_id, error) VALUES ($1, $2)
        ON CONFLICT (event_id) DO UPDATE SET error = excluded.error, refused_at = now()
        """,
        refused,
    )


async def clear_refusals(connection: Connection, events: Sequence[UUID]) -> None:
    """These were taken after all, or are gone."""
    await connection.execute("DELETE FROM search_refusals WHERE event_id = ANY($1::uuid[])", events)


async def read_build(connection: Connection) -> Build:
    """Which build is served."""
    row = await connection.fetchrow(
        "SELECT generation, ready, rebuilding, fingerprint FROM search_state WHERE id = 1"
    )
    return Build(**row) if row else Build(0, False, False, None)


async def begin_build(connection: Connection, *, keep_serving: bool) -> None:
    """From now on delivered keys are remembered, too."""
    await connection.execute(
        "UPDATE search_state SET rebuilding = true, ready = ready AND $1, updated_at = now() WHERE id = 1",
        keep_serving,
    )
    await connection.execute("DELETE FROM search_remarks")


async def finish_build(connection: Connection, fingerprint: str | None) -> int:
    """Serve the new build and mark again what changed meanwhile; in a transaction. The count of marks.

    Without a fingerprint nothing was swapped for certain: the marks are made again and what was
    served before goes on being served.
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
    """The outbox's last entry before which no transaction can add another any more; 0 if that is unclear.

    Numbers are given out before the commit. So everybody who is writing entries is waited for, a second
    at most, with the newcomers behind us.
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
    """Forget entries up to `last`: a build that read everything later has shown what they announced.

    What is not published any more no build has read; removing it is left to who records it.
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
    """The engine has lost its index: nothing is ready until the next build."""
    await connection.execute(
        "UPDATE search_state SET ready = false, generation = generation + 1, updated_at = now() WHERE id = 1"
    )


async def try_lock(connection: Connection, lock: int) -> bool:
    """Take a lock that this session holds until it ends, however it ends."""
    taken: bool = await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock)
    return taken


async def unlock(connection: Connection, lock: int) -> None:
    """Give a session's lock back."""
    await connection.execute("SELECT pg_advisory_unlock($1)", lock)


async def _read_keys(connection: Connection, condition: str, most: int) -> DirtyKeys:
    """The oldest entries, and the later ones of the same events: one document serves them all.

    In two statements: joined, they were planned as for the empty table that the outbox mostly is, and
    took ten seconds when it suddenly held 50,000 entries.
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


# How far the engine is behind, in seconds: the age of the oldest change it does not show.
STANDING = """
SELECT ready, (SELECT count(*) FROM search_refusals)::int AS refused, greatest(0, coalesce(
    extract(epoch FROM clock_timestamp() - (SELECT created_at FROM search_outbox ORDER BY id LIMIT 1)), 0
))::float8 AS lag_seconds
FROM search_state WHERE id = 1
"""


async def read_refusals(connection: Connection, most: int) -> list[tuple[UUID, str]]:
    """The latest documents that the engine refused, and why."""
    rows = await connection.fetch(
        "SELECT event_id, error FROM search_refusals ORDER BY refused_at DESC LIMIT $1", most
    )
    return [(row["event_id"], row["error"]) for row in rows]
