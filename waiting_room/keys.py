"""Every key of the waiting room: type, meaning, lifetime and owner.

All keys of an event share the hash tag `{event}`, so its scripts run unchanged on a cluster. `user` is
the account's UUID as 16 bytes, `place` the number that orders the line (see `domain.waiting_room`).
"""

import hashlib
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class RoomKeys:
    """The keys of one event's line. They live until `Room.forget`, unless said otherwise."""

    event_id: UUID

    def all(self) -> tuple[str, ...]:
        """Every key but those that end by themselves."""
        lists = (self.line, self.active, self.admissions, self.past, self.gone, self.away, self.journal)
        return (self.meta, *lists)

    def _key(self, part: str) -> str:
        return f"wr:{{{self.event_id}}}:{part}"

    @property
    def meta(self) -> str:
        """HASH: settings, counters, the token bucket. Made by open.lua; owner: every script.

        ready 1|0, generation (of the rebuild that may write), run (of the server it was built on),
        drained (last journal id in PostgreSQL), version (of the settings), enabled, selling, opens_ms,
        on_sale_ms, per_minute, max_active, admission_ms, drawn_ms (0 before the draw), arrivals (last number
        given), admitted, confirmed, gone, ended, lapsed (totals),
        credit, ticked_ms, rate, endings, shopping_ms, counted.
        """
        return self._key("meta")

    @property
    def line(self) -> str:
        """ZSET user -> place: the people waiting. Owner: join, end, admit, restore."""
        return self._key("line")

    @property
    def active(self) -> str:
        """ZSET user -> end of the admission, ms: the people shopping. Owner: admit, end, restore."""
        return self._key("active")

    @property
    def admissions(self) -> str:
        """HASH user -> "nonce|ordinal" of the admission in `active`. Owner: admit, end, restore."""
        return self._key("admissions")

    @property
    def past(self) -> str:
        """HASH user -> E (lapsed), L (left) or F (booked): who was here and is not. Owner: end, admit."""
        return self._key("past")

    @property
    def gone(self) -> str:
        """LIST of the places given up since the last tick, at most 4,096. Owner: end; emptied by admit."""
        return self._key("gone")

    @property
    def away(self) -> str:
        """ZSET user -> ms when the place is given up: waiting, no tab open. Owner: away, entry, admit."""
        return self._key("away")

    @property
    def journal(self) -> str:
        """STREAM u (user), s (state), p (place), n (nonce), x (end, ms): every change of state, in order.

        Trimmed by confirm.lua once PostgreSQL has it. Owner: every script that changes a state.
        """
        return self._key("journal")

    @property
    def channel(self) -> str:
        """PUB/SUB: one message a tick, published by the admission worker."""
        return self._key("ticks")

    def address(self, address: str) -> str:
        """STRING: new accounts from one network address; lives for the window after the first."""
        digest = hashlib.blake2b(address.encode(), digest_size=9).hexdigest()
        return self._key(f"from:{digest}")
