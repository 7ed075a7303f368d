"""queuePosition: the caller's place, on every change and at least every 5 s; admission arrives here."""

import asyncio
import contextlib
import statistics
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

from domain.errors import NotFound, Unavailable
from domain.viewer import Viewer
from pubsub.channels import Channels
from services.identity.authorisation import buyer_of
from services.waiting_room.waiting_rooms import Entry, WaitingRooms
from subscriptions.listening import Listener
from subscriptions.waiting_room_topic import Member, WaitingRoomTopic

_READY_SECONDS = 5.0
# A line that nobody watches stays for this long: whoever reloads the page finds it.
_LINGER_SECONDS = 10.0
_NEVER_JOINED = "You are not in this event's line: join it first."


class WaitingRoomHub:
    """The lines of one process: one upstream subscription an event, however many wait."""

    def __init__(self, rooms: WaitingRooms, channels: Channels) -> None:
        self._rooms = rooms
        self._channels = channels
        self._lines: dict[UUID, WaitingRoomTopic] = {}
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

    def stream(
        self, viewer: Viewer | None, event_id: UUID, shown: Callable[[Entry], Any] = lambda entry: entry
    ) -> "QueueStream":
        """The caller's entry now, on every change, and at least every 5 s; each as `shown` makes it.

        Its first item raises:
            NotFound: there is no such event, or the caller never joined its line.
            Unavailable: the line cannot be heard at the moment.
        """
        return QueueStream(self, viewer, event_id, shown)

    async def line_of(self, viewer: Viewer | None, event_id: UUID) -> WaitingRoomTopic:
        """The line that the caller stands in, heard from now on. Raises what `stream` says."""
        if await self._rooms.entry(viewer, event_id) is None:
            raise NotFound(_NEVER_JOINED)
        line = self._lines.get(event_id)
        if line is None:
            line = self._lines[event_id] = WaitingRoomTopic(self._rooms, self._channels, event_id)
        return line

    def left(self, event_id: UUID, user_id: UUID, line: WaitingRoomTopic) -> None:
        """A tab was closed: the last one takes the line along, in a while."""
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
        if line is not None and line.members == line.coming == 0:
            del self._lines[event_id]
            line.close()

    def close(self) -> None:
        """Hear no more of any line."""
        for line in self._lines.values():
            line.close()
        self._lines.clear()


class QueueStream(Listener, AsyncIterator[Any]):
    """One tab's stream: iterated, or, from `attach` on, one that calls. It is its own buffer.

    What a tab is told is worked out when it is taken, so however many ticks it misses, it has the last.
    """

    __slots__ = (
        "_event_id",
        "_has_news",
        "_hub",
        "_line",
        "_member",
        "_shown",
        "_viewer",
        "ended",
    )

    def __init__(
        self, hub: WaitingRoomHub, viewer: Viewer | None, event_id: UUID, shown: Callable[[Entry], Any]
    ) -> None:
        super().__init__()
        self._hub = hub
        self._viewer = viewer
        self._event_id = event_id
        self._shown = shown
        self._line: WaitingRoomTopic | None = None
        self._member: Member | None = None
        self._has_news = False
        self.ended = False

    async def __anext__(self) -> Any:
        if self._member is None:
            await self._begin()
        while not self._has_news:
            await self._news()
        return self.take()

    def wake(self) -> None:
        """There is something new, or it is time to say the same again."""
        self._has_news = True
        self._notify()

    def attach(self, wake: Callable[[], None]) -> "QueueStream":
        """Call this with every change from now on; the first item was awaited."""
        self._call = wake
        return self

    def take(self) -> Any | None:
        """How the caller stands now; None where that was told."""
        if not self._has_news or self._line is None or self._member is None:
            return None
        self._has_news = False
        return self._shown(self._line.tell(self._member))

    def detach(self) -> None:
        """Close the tab."""
        line, self._line = self._line, None
        self._call = None
        if line is not None and self._member is not None:
            line.unwatch(self._member, self)
            self._hub.left(self._event_id, self._member.user_id, line)

    async def aclose(self) -> None:
        """Close the tab."""
        self.detach()

    async def _begin(self) -> None:
        user_id = buyer_of(self._viewer).user_id
        line = await self._hub.line_of(self._viewer, self._event_id)
        line.coming += 1  # or an earlier tab that was closed would end it now
        try:
            await line.ready(_READY_SECONDS)
            await line.learn_pace()
            member = await line.member(user_id)
            if member is None:
                raise NotFound(_NEVER_JOINED)
        except BaseException:
            self._hub.left(self._event_id, user_id, line)
            raise
        finally:
            line.coming -= 1
        self._line, self._member = line, member
        line.watch(member, self)
        self._has_news = True
