"""queuePosition: the caller's place, on every change and at least every 5 s; admission arrives here."""

import asyncio
import contextlib
import random
import statistics
from collections.abc import AsyncIterator
from uuid import UUID

from domain.errors import NotFound, Unavailable
from domain.viewer import Viewer
from pubsub.channels import Channels
from services.office import buyer_of
from services.waiting_room import Entry, WaitingRooms
from subscriptions.queue_line import Member, QueueLine

_READY_SECONDS = 5.0
_HEARTBEAT_SECONDS = (3.5, 4.5)
# A line that nobody watches stays for this long: whoever reloads the page finds it.
_LINGER_SECONDS = 10.0


class QueueHub:
    """The lines of one process: one upstream subscription an event, however many wait."""

    def __init__(self, rooms: WaitingRooms, channels: Channels) -> None:
        self._rooms = rooms
        self._channels = channels
        self._lines: dict[UUID, QueueLine] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def members(self) -> int:
        """How many accounts are watched."""
        return sum(line.members for line in self._lines.values())

    def eta_error(self, event_id: UUID) -> float | None:
        """How far off the median estimate of an event's last people was: 0.2 is a fifth."""
        line = self._lines.get(event_id)
        return statistics.median(line.eta_errors) if line is not None and line.eta_errors else None

    def eta_errors(self) -> dict[UUID, float]:
        """The same, of every line that is watched here and can tell."""
        known = {event_id: self.eta_error(event_id) for event_id in self._lines}
        return {event_id: error for event_id, error in known.items() if error is not None}

    async def stream(self, viewer: Viewer | None, event_id: UUID) -> AsyncIterator[Entry]:
        """The caller's entry now, on every change, and at least every 5 s.

        Raises:
            NotFound: there is no such event, or the caller never joined its line.
            Unavailable: the line cannot be heard at the moment.
        """
        user_id = buyer_of(viewer).user_id
        if await self._rooms.entry(viewer, event_id) is None:
            raise NotFound("You are not in this event's line: join it first.")
        line = self._lines.get(event_id)
        if line is None:
            line = self._lines[event_id] = QueueLine(self._rooms, self._channels, event_id)
        try:
            await line.ready(_READY_SECONDS)
            member = await line.member(user_id)
            if member is None:
                raise NotFound("You are not in this event's line: join it first.")
            with line.watching(member) as changed:
                async for entry in _entries(line, member, changed):
                    yield entry
        finally:
            self._left(event_id, user_id, line)

    def _left(self, event_id: UUID, user_id: UUID, line: QueueLine) -> None:
        asyncio.get_running_loop().call_later(_LINGER_SECONDS, self._close_unwatched, event_id)
        if not line.watches(user_id):
            task = asyncio.create_task(self._mark_away(event_id, user_id))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _mark_away(self, event_id: UUID, user_id: UUID) -> None:
        # Redis that is away forgets that a tab was closed: the place is kept, which harms nobody.
        with contextlib.suppress(Unavailable):
            await self._rooms.room.mark_away(event_id, [user_id])

    def _close_unwatched(self, event_id: UUID) -> None:
        line = self._lines.get(event_id)
        if line is not None and line.members == 0:
            del self._lines[event_id]
            line.close()

    def close(self) -> None:
        """Hear no more of any line."""
        for line in self._lines.values():
            line.close()
        self._lines.clear()


async def _entries(line: QueueLine, member: Member, changed: asyncio.Event) -> AsyncIterator[Entry]:
    while True:
        changed.clear()
        line.telling(member)
        yield await line.entry(member)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(*_HEARTBEAT_SECONDS)):  # noqa: S311 - jitter
                await changed.wait()
