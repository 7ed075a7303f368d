"""The waiting room as the schema shows it."""

from dataclasses import dataclass
from datetime import datetime

from db.queries.events import EventRow
from resolvers.context import Context


@dataclass(frozen=True, slots=True)
class WaitingRoomView:
    """The line in front of one event's sale."""

    enabled: bool
    phase: str
    waiting: int
    admit_per_minute: int


@dataclass(frozen=True, slots=True)
class AdmissionView:
    """A right to shop until a moment."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class QueueEntryView:
    """Where one account stands."""

    public_id: str
    state: str
    position: int | None
    ahead: int | None
    eta_seconds: int | None
    admission: AdmissionView | None


async def waiting_room_of(context: Context, event: EventRow) -> WaitingRoomView:
    """An event's waiting room: closed where it is off."""
    return WaitingRoomView(
        event.waiting_room_enabled, "CLOSED", 0, event.waiting_room_admit_per_minute
    )
