"""The updates that subscribers of a seat map receive."""

from dataclasses import dataclass, field
from uuid import UUID

from kit.shared_answers import SharedAnswers


@dataclass(frozen=True, slots=True)
class SectionCount:
    """The number of places of one section, by status."""

    number: int
    name: str
    available: int
    held: int
    booked: int
    total: int


@dataclass(slots=True)
class SeatAvailabilityUpdate:
    """A snapshot (`statuses` given, no `previous_version`) or a delta (`changes`) of one event's seats.

    `changes` are pairs of a seat's index and its status letter (A, H, B, X). `shared` is one
    object for all subscribers that receive this update: transport stores the encoded message in it.
    """

    event_id: UUID
    version: int
    previous_version: int | None
    statuses: str | None
    changes: tuple[tuple[int, str], ...]
    sections: tuple[SectionCount, ...]
    shared: SharedAnswers = field(default_factory=SharedAnswers)
