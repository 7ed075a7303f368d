"""The typed answers of the scripts: codes and values."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Outcome(StrEnum):
    """The first element of every script's answer."""

    OK = "OK"
    MISSING = "MISSING"
    """The waiting room is not in Redis, or is being rebuilt."""
    CLOSED = "CLOSED"
    """The queue cannot be joined now."""
    CROWDED = "CROWDED"
    """Too many new accounts from one network."""
    WAITING = "WAITING"
    ADMITTED = "ADMITTED"
    EXPIRED = "EXPIRED"
    LEFT = "LEFT"
    NONE = "NONE"
    """The account is not in the queue."""
    REFUSED = "REFUSED"
    """Another rebuild has begun, or the server has restarted."""


class Ending(StrEnum):
    """Why an account is no longer in the queue; as stored in `past` and in the journal."""

    EXPIRED = "E"
    """The admission lapsed."""
    LEFT = "L"
    """The person left without ever having an admission."""
    FINISHED = "F"
    """An admission was used or given up; the next one comes after everybody who has had none."""


@dataclass(frozen=True, slots=True)
class Joined:
    """The account's place (0 while it is admitted), durable once PostgreSQL has the journal to `sequence`.

    `left_before`: the account had given up an earlier place. `network` (its digest) and `points`: what the
    join took of its network's share.
    """

    outcome: Outcome
    place: int = 0
    sequence: int = 0
    new: bool = False
    left_before: bool = False
    network: str = ""
    points: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of one account in the queue.

    `ordinal` is the position counted from the start of the sale: accounts ahead, plus all admissions so
    far, plus 1. So position = ordinal - admitted - places given up ahead since `gone`.
    """

    outcome: Outcome
    place: int = 0
    ordinal: int | None = None
    admitted: int = 0
    gone: int = 0
    nonce: str = ""
    expires_ms: int = 0

    @property
    def position(self) -> int | None:
        """1 is next; None before the draw and for an account that does not wait."""
        return None if self.ordinal is None else max(1, self.ordinal - self.admitted)


@dataclass(frozen=True, slots=True)
class Tick:
    """The effect of one run of the admission script, and the counters after it."""

    now_ms: int
    generation: int
    enabled: bool
    selling: bool
    drawn_ms: int
    waiting: int
    active: int
    admitted: int
    gone: int
    rate_per_minute: float
    endings: float
    shopping_ms: float
    lapsed: int
    journal: int
    offers: int
    newly_admitted: tuple[UUID, ...]
    places_gone: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the journal: the new state of an account; `sequence` only grows.

    `network` (its digest) and `points`: what a join took of its network's share.
    """

    stream_id: str
    user_id: UUID
    state: str
    place: int
    nonce: str
    expires_ms: int
    network: str = ""
    points: int = 0

    @property
    def sequence(self) -> int:
        """The stream id as one number."""
        return sequence_of(self.stream_id)


@dataclass(frozen=True, slots=True)
class WaitingRoomState:
    """The settings and counters of a waiting room in Redis."""

    enabled: bool
    selling: bool
    drawn_ms: int
    waiting: int
    active: int
    admitted: int
    ended: int
    lapsed: int
    per_minute: int
    max_active: int
    admission_ms: int
    on_sale_ms: int
    rate_per_minute: float
    endings: float
    shopping_ms: float


def sequence_of(stream_id: str) -> int:
    """A stream id as one number: milliseconds, then 16 bits of order within them."""
    time_ms, _, order = stream_id.partition("-")
    return (int(time_ms) << 16) | min(int(order), 0xFFFF)
