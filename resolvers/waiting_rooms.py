"""The waiting room, with public ids."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime

from db.queries.events import EventRow
from domain.errors import NotFound
from domain.ids import Kind, parse_id, public_id
from domain.waiting_room import Phase, WaitingRoomSettings
from resolvers.context import RequestContext
from resolvers.events import changed_event, requested_id
from services.waiting_room.challenged_join import join_with_solution
from services.waiting_room.waiting_rooms import Overview, QueueEntry


@dataclass(frozen=True, slots=True)
class AdmissionView:
    """An admission, valid until a time."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class QueueEntryView:
    """The queue entry of one account."""

    public_id: str
    state: str
    position: int | None
    ahead: int | None
    eta_seconds: int | None
    admission: AdmissionView | None


def waiting_room_of(context: RequestContext, event: EventRow) -> Overview | Awaitable[Overview]:
    """Return an event's waiting room; events without one need no read."""
    if not event.waiting_room_enabled:
        return Overview(False, Phase.CLOSED, 0, event.waiting_room_admit_per_minute)
    return context.waiting_rooms.overview(event.id)


def entry_view(entry: QueueEntry) -> QueueEntryView:
    """Return a queue entry with its public id."""
    admission = None
    if entry.token is not None and entry.expires_at is not None:
        admission = AdmissionView(entry.token, entry.expires_at)
    return QueueEntryView(
        public_id(Kind.QUEUE_ENTRY, entry.entry_id),
        entry.state,
        entry.position,
        entry.ahead,
        entry.eta_seconds,
        admission,
    )


async def queue_entry(context: RequestContext, event_id: str) -> QueueEntryView | None:
    """Return the viewer's queue entry; None where there is none, and without a token."""
    key = requested_id(event_id, Kind.EVENT)
    if context.viewer is None:
        return None
    try:
        entry = await context.waiting_rooms.entry(context.viewer, key)
    except NotFound:
        return None
    return None if entry is None else entry_view(entry)


async def join(context: RequestContext, event_id: str, solution: str | None) -> QueueEntryView:
    """Join the waiting room after a solved challenge, and return the viewer's queue entry."""
    entry = await join_with_solution(
        context.waiting_rooms,
        context.challenges,
        context.viewer,
        parse_id(event_id, Kind.EVENT),
        solution,
        address=context.address,
    )
    return entry_view(entry)


async def leave(context: RequestContext, event_id: str) -> bool:
    """Leave the waiting room; return whether the viewer was in it."""
    return await context.waiting_rooms.leave(context.viewer, parse_id(event_id, Kind.EVENT))


async def configure(
    context: RequestContext,
    event_id: str,
    *,
    enabled: bool,
    admit_per_minute: int | None,
    max_active: int | None,
    admission_seconds: int | None,
    pre_queue_seconds: int | None,
) -> EventRow:
    """Configure the waiting room of the viewer's event; None is the default of a setting."""
    key = parse_id(event_id, Kind.EVENT)
    usual = WaitingRoomSettings(enabled)
    settings = WaitingRoomSettings(
        enabled,
        usual.admit_per_minute if admit_per_minute is None else admit_per_minute,
        usual.max_active if max_active is None else max_active,
        usual.admission_seconds if admission_seconds is None else admission_seconds,
        usual.pre_queue_seconds if pre_queue_seconds is None else pre_queue_seconds,
    )

    async def switch() -> None:
        await context.waiting_rooms.configure(context.viewer, key, settings)
        await context.services.event_changed(key)

    await asyncio.shield(switch())  # a client that disconnects must not prevent the message
    return await changed_event(context, key)
