"""What the scripts answer, in types."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The codes of every script in lua/; each header says which of them it returns."""

    HELD = "HELD"
    REPLAY = "REPLAY"
    TAKEN = "TAKEN"
    LAPSED = "LAPSED"
    ORPHAN = "ORPHAN"
    MISSING = "MISSING"
    TURNED = "TURNED"
    NOTHING = "NOTHING"
    BUILT = "BUILT"
    READ = "READ"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Places that would do, and the runs of neighbours (first, last) that they lie in."""

    places: tuple[int, ...]
    segments: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class FreeRange:
    """Any `quantity` free places of a general-admission section."""

    first_place: int
    capacity: int
    quantity: int


@dataclass(frozen=True, slots=True)
class HoldAnswer:
    """What became of a wish; with TAKEN, `places` are those in the way."""

    outcome: Outcome
    version: int
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SeatSnapshot:
    """An event's places at one version; `places` has a byte a place."""

    epoch: str
    version: int
    places: bytes


@dataclass(frozen=True, slots=True)
class Delta:
    """One change: the version that it made, and the places by their new state."""

    version: int
    changes: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class LiveHold:
    """A hold or booking as PostgreSQL has it. No deadline: only PostgreSQL may end it."""

    hold_id: str
    places: tuple[int, ...]
    deadline_ms: int | None
    booked: bool


@dataclass(frozen=True, slots=True)
class Truth:
    """What PostgreSQL says of an event: its places, its holds, and where the next epoch's versions start."""

    places: bytes
    holds: tuple[LiveHold, ...]
    first_version: int


@dataclass(frozen=True, slots=True)
class Correction:
    """One place to set right, if it still is as it was seen."""

    place: int
    seen: str
    seen_hold: str
    state: str
    hold: str
    deadline_ms: int | None
