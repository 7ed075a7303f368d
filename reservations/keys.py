"""The Redis keys of holds. No other module builds one.

All of an event's keys share the hash tag {event uuid}, so they live in one slot of a cluster.
Owner of each: `reservations.store`. Lifetime: until the event is over; all can be rebuilt.
"""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class EventKeys:
    """The keys of one event."""

    places: str
    """String: a byte a place, A free, H held, B booked, X blocked."""
    meta: str
    """Hash: epoch (which build this is), version (rises by one with each change), run (of the server)."""
    claims: str
    """Hash: hold id to its places, comma separated; a booked order's stay."""
    deadlines: str
    """Sorted set: hold id by its deadline in Unix milliseconds."""
    deltas: str
    """Stream: the latest changes, id VERSION-0, field d like H12,13 or A5;B7,8."""
    channel: str
    """Pub/sub channel: a version; it only wakes, the stream has the data."""


def event_keys(event_id: UUID) -> EventKeys:
    """The keys of `event_id`."""
    tag = f"bo:{{{event_id}}}"
    return EventKeys(
        places=f"{tag}:places",
        meta=f"{tag}:meta",
        claims=f"{tag}:claims",
        deadlines=f"{tag}:deadlines",
        deltas=f"{tag}:deltas",
        channel=f"{tag}:changed",
    )


SERVER_RUNS = "bo:server_runs"
"""String: the run ids of the servers that built what is here; others mean that writes may be lost."""

META_PATTERN = "bo:{*}:meta"
DEADLINES_PATTERN = "bo:{*}:deadlines"


def event_id_of(key: str) -> UUID:
    """The event that a key belongs to."""
    return UUID(key.partition("{")[2].partition("}")[0])
