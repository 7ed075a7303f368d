"""The Redis keys of seat statuses and holds; no other module builds one.

All keys of an event have the hash tag {event uuid}, so they are in one slot of a cluster and one script may
use them together. Redis may lose every key: SeatStore rebuilds them from PostgreSQL.
"""

from dataclasses import dataclass
from itertools import count
from uuid import UUID

from redis.crc import key_slot


@dataclass(frozen=True, slots=True)
class EventKeys:
    """The keys of one event, and its channel."""

    places: str
    """STRING: a byte a place, its letter of SeatStatus. Lifetime: the event's. Owner: SeatStore."""
    meta: str
    """HASH: epoch (of this build), version (rises by one with each change), run (id of the server's run at
    the build). Lifetime: the event's. Owner: SeatStore."""
    claims: str
    """HASH: hold id -> its places, comma separated; bookings stay. Lifetime: the event's. Owner:
    SeatStore."""
    deadlines: str
    """SORTED SET: hold id by deadline in Unix milliseconds. Lifetime: the event's. Owner: SeatStore."""
    buyers: str
    """HASH: p:PERSON -> HOLD/ACCOUNT,...; u:ADDRESS -> PERSON,...; n:NETWORK -> HOLD,...: what limits count.
    Lifetime: the event's. Owner: SeatStore."""
    deltas: str
    """STREAM: the latest 4,096 changes or somewhat more, id VERSION-0, field d like H12,13 or A5;B7,8.
    Lifetime: the event's. Owner: SeatStore."""
    channel: str
    """CHANNEL: a new version; it only wakes, the stream has the change. Lifetime: none. Owner: SeatStore."""


def event_keys(event_id: UUID) -> EventKeys:
    """The keys of `event_id`."""
    tag = f"bo:{{{event_id}}}"
    return EventKeys(
        places=f"{tag}:places",
        meta=f"{tag}:meta",
        claims=f"{tag}:claims",
        deadlines=f"{tag}:deadlines",
        buyers=f"{tag}:buyers",
        deltas=f"{tag}:deltas",
        channel=f"{tag}:changed",
    )


SERVER_RUNS = "bo:server_runs"
"""STRING: the run ids of the servers on which all events were built; a server with another run may have lost
writes. Lifetime: unlimited. Owner: SeatStore."""


def refusal_key(keys: EventKeys, request: str) -> str:
    """STRING: CODE|PLACES, the answer to a request with an idempotency key that was refused. Lifetime: a
    second. Owner: SeatStore."""
    return f"{keys.meta.removesuffix(':meta')}:refused:{request}"


_SLOTS = 16_384
_LISTS = 16


def _list_of_slots(number: int) -> str:
    """The key of a list whose own slot is among the slots that it lists."""
    names = (f"bo:changed:{suffix}" for suffix in count())
    return next(name for name in names if key_slot(name.encode()) * _LISTS // _SLOTS == number)


CHANGED_LISTS = tuple(map(_list_of_slots, range(_LISTS)))
"""SORTED SET: event id as 16 bytes by the time of its latest change in Unix milliseconds, about. Each lists
the events of neighbouring slots and is in one of them, so that a dead node of a cluster takes away the lists
of its own events, but for those at the borders. Lifetime: of an entry, as long as a hold. Owner:
ChangedEvents."""

META_PATTERN = "bo:{*}:meta"


def changed_list_of(event_id: UUID) -> str:
    """The one of CHANGED_LISTS that lists an event."""
    return CHANGED_LISTS[key_slot(str(event_id).encode()) * _LISTS // _SLOTS]


def event_id_of(key: str) -> UUID:
    """The event that a key belongs to."""
    return UUID(key.partition("{")[2].partition("}")[0])
