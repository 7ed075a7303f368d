"""The Redis keys of waiting rooms; no other module builds one.

All keys of an event have the hash tag {event uuid}, so they are in one slot of a cluster and one script may
use them together. Redis may lose every key: the admission worker rebuilds them from PostgreSQL. `user` is the
account's UUID as 16 bytes, `place` the number that orders the queue (see domain/waiting_room.py).
"""

import hashlib
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class WaitingRoomKeys:
    """The keys of one event's waiting room, and its channel. "Until forgotten" is until `forget`."""

    meta: str
    """HASH: settings, counters and the token bucket. Lifetime: until forgotten. Owner: every script.

    ready 1|0, generation (of the rebuild that may write), run (id of the server's run at the build),
    drained (last journal id in PostgreSQL), confirmed (durable admissions), version (of the settings),
    enabled, selling, opens_ms, on_sale_ms, per_minute, max_active, admission_ms, drawn_ms (0 before the
    draw), arrivals (every later arrival gets a higher number), admitted (from the queue), offers (all
    admissions), gone, ended, lapsed (totals), credit, ticked_ms, rate, endings, shopping_ms, counted.
    """
    queue: str
    """SORTED SET: waiting user by place. Lifetime: until forgotten. Owner: join, end, admit, restore.

    Its key ends in `line`: another key would lose the queues of a running installation at an upgrade.
    """
    active: str
    """SORTED SET: admitted user by end of the admission in Unix milliseconds. Lifetime: until forgotten.
    Owner: admit, end, restore."""
    admissions: str
    """HASH: admitted user -> "nonce|ordinal|place". Lifetime: until forgotten. Owner: admit, end, restore."""
    past: str
    """HASH: user -> E (lapsed), L (left without an admission) or F (finished: an admission that was used or
    given up). Lifetime: until forgotten. Owner: end, admit, restore."""
    gone: str
    """LIST: places given up since the last tick, at most 4,096. Lifetime: a tick. Owner: end, admit."""
    away: str
    """SORTED SET: waiting user without an open tab by end of the grace time in Unix milliseconds. Lifetime:
    until forgotten. Owner: away, entry, join, admit."""
    offered: str
    """SORTED SET: admitted user who has not taken the admission up by end of the time for it in Unix
    milliseconds. Lifetime: until taken up or passed over. Owner: admit, entry, join, end, close."""
    passed: str
    """SORTED SET: user who was passed over and is away by place. Lifetime: until forgotten. Owner: admit,
    entry, join, end, restore."""
    returned: str
    """SORTED SET: user who was passed over and is back by place. Lifetime: until admitted. Owner: entry,
    join, admit, end, restore."""
    journal: str
    """STREAM: u (user), s (state), p (place), n (nonce), x (end in Unix milliseconds), w (digest of the
    network of a join), c (its points), every change of state in order. Lifetime: until PostgreSQL has the
    change. Owner: every script that changes a state."""
    channel: str
    """CHANNEL: one message a tick. Lifetime: none. Owner: the admission worker."""

    def all(self) -> tuple[str, ...]:
        """Every key without a time to live."""
        lists = (self.queue, self.active, self.admissions, self.past, self.gone, self.away, self.journal)
        return (self.meta, *lists, self.offered, self.passed, self.returned)


def waiting_room_keys(event_id: UUID) -> WaitingRoomKeys:
    """The keys of `event_id`."""
    tag = _tag(event_id)
    return WaitingRoomKeys(
        meta=f"{tag}:meta",
        queue=f"{tag}:line",
        active=f"{tag}:active",
        admissions=f"{tag}:admissions",
        past=f"{tag}:past",
        gone=f"{tag}:gone",
        away=f"{tag}:away",
        offered=f"{tag}:offered",
        passed=f"{tag}:passed",
        returned=f"{tag}:returned",
        journal=f"{tag}:journal",
        channel=f"{tag}:ticks",
    )


def network_key(event_id: UUID, digest: str) -> str:
    """HASH: lots (points of the draw), due (arrival number at which the share is whole again) of one network.

    Lifetime: a day after the start of the sale; after the draw, until the share is whole again. Owner: join,
    and the rebuild.
    """
    return f"{_tag(event_id)}:net:{digest}"


def network_digest(network: str) -> str:
    """The digest under which a network's points are counted, "" for none."""
    return hashlib.blake2b(network.encode(), digest_size=9).hexdigest() if network else ""


def _tag(event_id: UUID) -> str:
    return f"wr:{{{event_id}}}"
