"""The typed answers of the scripts, and the values that they take."""

from dataclasses import dataclass, field
from enum import StrEnum

from domain.ticket_limits import LimitKeys


class Outcome(StrEnum):
    """The codes of every script in lua/; each header says which of them it returns."""

    HELD = "HELD"
    REPLAY = "REPLAY"
    TAKEN = "TAKEN"
    LAPSED = "LAPSED"
    PERSON = "PERSON"
    NETWORK = "NETWORK"
    ORPHAN = "ORPHAN"
    MISSING = "MISSING"
    CHANGED = "CHANGED"
    NOTHING = "NOTHING"
    BUILT = "BUILT"
    READ = "READ"
    UNCHANGED = "UNCHANGED"
    RETIRED = "RETIRED"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Places that would do, and the rows (first and last place) in which they are."""

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
    """The answer to a request for places.

    With TAKEN, `places` are those that others have; with PERSON, they are the number of tickets that the
    person has, and the number that the account has.
    """

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
    """One change: the version that it made, and the places by their new status letter."""

    version: int
    changes: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class LiveHold:
    """A hold or booking in PostgreSQL; without a deadline only PostgreSQL may end it."""

    hold_id: str
    places: tuple[int, ...]
    deadline_ms: int | None
    booked: bool
    owner: LimitKeys = field(default_factory=LimitKeys)


@dataclass(frozen=True, slots=True)
class SeatSource:
    """An event in PostgreSQL, to rebuild Redis from: places, holds and the next epoch's first version."""

    places: bytes
    holds: tuple[LiveHold, ...]
    first_version: int


@dataclass(frozen=True, slots=True)
class Correction:
    """The state of one place to set, if Redis still has the state that was seen."""

    place: int
    seen: str
    seen_hold: str
    state: str
    hold: str
    deadline_ms: int | None
    owner: LimitKeys = field(default_factory=LimitKeys)
