"""What the scripts answer: codes, and the values that stand behind them."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Outcome(StrEnum):
    """The first element of every script's answer."""

    OK = "OK"
    MISSING = "MISSING"
    """The room is not in Redis, or is being rebuilt."""
    CLOSED = "CLOSED"
    """The line cannot be joined now."""
    CROWDED = "CROWDED"
    """Too many accounts from one address."""
    WAITING = "WAITING"
    ADMITTED = "ADMITTED"
    EXPIRED = "EXPIRED"
    LEFT = "LEFT"
    NONE = "NONE"
    """Nobody here by that name."""
    REFUSED = "REFUSED"
    """A rebuild that another one has overtaken."""


class Ending(StrEnum):
    """Why someone is no longer here; as written in `past` and in the journal."""

    EXPIRED = "E"
    LEFT = "L"
    FINISHED = "F"


@dataclass(frozen=True, slots=True)
class Joined:
    """What joining came to: the account's place (0: it is shopping), as of `sequence` of the journal.

    `left_before`: the account had given up an earlier place.
    """

    outcome: Outcome
    place: int = 0
    sequence: int = 0
    new: bool = False
    left_before: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one person stands, at one moment of the line.

    `ordinal` is the position counted from the start of the sale: people ahead, plus all who were ever
    admitted, plus 1. So position = ordinal - admitted - places given up ahead since `gone`.
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
        """1 is next; None before the draw and where nobody waits."""
        return None if self.ordinal is None else max(1, self.ordinal - self.admitted)


@dataclass(frozen=True, slots=True)
class Tick:
    """What one run of the admission script did, and how the line is now."""

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
    newly_admitted: tuple[UUID, ...]
    places_gone: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the journal: what a person's state became, and when (`sequence` only grows)."""

    stream_id: str
    user_id: UUID
    state: str
    place: int
    nonce: str
    expires_ms: int

    @property
    def sequence(self) -> int:
        """The stream id as one number."""
        return sequence_of(self.stream_id)


@dataclass(frozen=True, slots=True)
class RoomState:
    """A room's settings and counters as Redis has them."""

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
    moment_ms, _, order = stream_id.partition("-")
    return (int(moment_ms) << 16) | min(int(order), 0xFFFF)
