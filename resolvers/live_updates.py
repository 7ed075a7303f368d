"""The updates of subscriptions, with public ids."""

from dataclasses import dataclass

from domain.ids import Part
from domain.seat_status import status_name
from domain.updates import SeatAvailabilityUpdate
from kit.ids import encode_uuid
from resolvers.layouts import SectionAvailabilityView, section_counts


@dataclass(frozen=True, slots=True)
class SeatChangeView:
    """A seat's new status."""

    seat_id: str
    index: int
    status: str


def changes_of(update: SeatAvailabilityUpdate) -> list[SeatChangeView]:
    """Return the changed seats of an update."""
    prefix = f"{Part.SEAT.value}_{encode_uuid(update.event_id)}_"
    return [
        SeatChangeView(f"{prefix}{index}", index, status_name(letter)) for index, letter in update.changes
    ]


def sections_of(update: SeatAvailabilityUpdate) -> list[SectionAvailabilityView]:
    """Return the changed counts of an update."""
    return section_counts(update.event_id, update.sections)
