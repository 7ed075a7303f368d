"""The events whose places were built in Redis, and have not ended there since."""

from datetime import datetime
from uuid import UUID

from db.queries.orders import Source


async def built_events(source: Source, after: UUID, most: int) -> list[UUID]:
    """At most `most` of these events, by id, after one of them."""
    rows = await source.fetch(
        """
        SELECT event_id FROM place_epochs WHERE built_at IS NOT NULL AND event_id > $1
        ORDER BY event_id LIMIT $2
        """,
        after,
        most,
    )
    return [row["event_id"] for row in rows]


async def built_events_over(source: Source, before: datetime, most: int) -> list[tuple[UUID, int]]:
    """At most `most` of these events that were over before a time, each with its first version."""
    rows = await source.fetch(
        """
        SELECT event_id, first_version FROM place_epochs LEFT JOIN events ON events.id = event_id
        WHERE built_at < $1 AND (
          events.id IS NULL OR coalesce(ends_at, starts_at + interval '6 hours') < $1
          OR events.state = 'CANCELLED' AND events.updated_at < $1
        )
        LIMIT $2
        """,
        before,
        most,
    )
    return [(row["event_id"], row["first_version"]) for row in rows]


async def end_built(source: Source, event_id: UUID, first_version: int) -> None:
    """Record that an event is no longer in Redis, unless it was built again meanwhile."""
    await source.fetch(
        "UPDATE place_epochs SET built_at = NULL WHERE event_id = $1 AND first_version = $2",
        event_id,
        first_version,
    )
