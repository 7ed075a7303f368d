"""queuePosition: the caller's queue entry, on every change and at least every 5 s, with the admission."""

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
from services.waiting_room.waiting_rooms import QueueEntry, WaitingRooms
from subscriptions.signals import Signal
from subscriptions.waiting_room_topic import Member, WaitingRoomTopic

_READY_SECONDS = 5.0
# A topic without subscribers stays for this long, because a reloaded page subscribes again.
_LINGER_SECONDS = 10.0
_NEVER_JOINED = "You are not in this event's line: join it first."


class WaitingRoomHub:
    """The waiting rooms of one process: one upstream subscription an event for any number of subscribers."""

    def __init__(self, waiting_rooms: WaitingRooms, channels: Channels) -> None:
        self._waiting_rooms = waiting_rooms
        self._channels = channels
        self._topics: dict[UUID, WaitingRoomTopic] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def members(self) -> int:
        """The number of accounts that have subscribers."""
        return sum(topic.members for topic in self._topics.values())

    def eta_error(self, event_id: UUID) -> float | None:
        """Return the median relative error of an event's last estimates, None where there are none."""
        topic = self._topics.get(event_id)
        return statistics.median(topic.eta_errors) if topic is not None and topic.eta_errors else None

    def eta_errors(self) -> dict[UUID, float]:
        """Return the errors of all events that have some."""
        known = {event_id: self.eta_error(event_id) for event_id in self._topics}
        return {event_id: error for event_id, error in known.items() if error is not None}

    def stream(
        self, viewer: Viewer | None, event_id: UUID, shown: Callable[[QueueEntry], Any] = lambda entry: entry
    ) -> "QueueStream":
        """Return a stream of the caller's entry, converted by `shown`: at once, on change, and every 5 s.

        Its first item raises:
            NotFound: There is no such event, or the caller never joined its waiting room.
            Unavailable: The waiting room's channel cannot be subscribed at the moment.
        """
        return QueueStream(self, viewer, event_id, shown)

    async def topic_of(self, viewer: Viewer | None, event_id: UUID) -> WaitingRoomTopic:
        """Return the topic of the waiting room that the caller has joined. Raises as `stream` does."""
        if await self._waiting_rooms.entry(viewer, event_id) is None:
            raise NotFound(_NEVER_JOINED)
        topic = self._topics.get(event_id)
        if topic is None:
            topic = self._topics[event_id] = WaitingRoomTopic(self._waiting_rooms, self._channels, event_id)
        return topic

    def left(self, event_id: UUID, user_id: UUID, topic: WaitingRoomTopic) -> None:
        """Close the topic after a delay, if it has no subscriber by then."""
        asyncio.get_running_loop().call_later(_LINGER_SECONDS, self._close_unused, event_id)
        if not topic.has_subscriber(user_id):
            task = asyncio.create_task(self._mark_away(event_id, user_id))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _mark_away(self, event_id: UUID, user_id: UUID) -> None:
        # While Redis does not answer, the departure is lost and the account keeps its place.
        with contextlib.suppress(Unavailable):
            await self._waiting_rooms.room.mark_away(event_id, [user_id])

    def _close_unused(self, event_id: UUID) -> None:
        topic = self._topics.get(event_id)
        if topic is not None and topic.members == topic.joining == 0:
            del self._topics[event_id]
            topic.close()

    def close(self) -> None:
        """Close every topic."""
        for topic in self._topics.values():
            topic.close()
        self._topics.clear()


class QueueStream(Signal, AsyncIterator[Any]):
    """One subscriber's stream: it is iterated, or calls back once it is attached. It is its own buffer.

    The entry is computed when it is taken, so a slow subscriber always gets the latest one.
    """

    __slots__ = (
        "_event_id",
        "_hub",
        "_is_due",
        "_member",
        "_shown",
        "_topic",
        "_viewer",
        "ended",
    )

    def __init__(
        self, hub: WaitingRoomHub, viewer: Viewer | None, event_id: UUID, shown: Callable[[QueueEntry], Any]
    ) -> None:
        super().__init__()
        self._hub = hub
        self._viewer = viewer
        self._event_id = event_id
        self._shown = shown
        self._topic: WaitingRoomTopic | None = None
        self._member: Member | None = None
        self._is_due = False
        self.ended = False

    async def __anext__(self) -> Any:
        if self._member is None:
            await self._begin()
        while not self._is_due:
            await self._signalled()
        return self.take()

    def wake(self) -> None:
        """Send the entry: it has changed, or its heartbeat is due."""
        self._is_due = True
        self._signal()

    def attach(self, wake: Callable[[], None]) -> "QueueStream":
        """Call back on every change from now on; the first item was awaited."""
        self._call = wake
        return self

    def take(self) -> Any | None:
        """Return the caller's present entry; None where it was sent already."""
        if not self._is_due or self._topic is None or self._member is None:
            return None
        self._is_due = False
        return self._shown(self._topic.entry_of(self._member))

    def detach(self) -> None:
        """End the subscription."""
        topic, self._topic = self._topic, None
        self._call = None
        if topic is not None and self._member is not None:
            topic.remove(self._member, self)
            self._hub.left(self._event_id, self._member.user_id, topic)

    async def aclose(self) -> None:
        """End the subscription."""
        self.detach()

    async def _begin(self) -> None:
        user_id = buyer_of(self._viewer).user_id
        topic = await self._hub.topic_of(self._viewer, self._event_id)
        topic.joining += 1  # keeps the delayed closing by an earlier subscriber from ending it
        try:
            await topic.ready(_READY_SECONDS)
            await topic.read_pace()
            member = await topic.member(user_id)
            if member is None:
                raise NotFound(_NEVER_JOINED)
        except BaseException:
            self._hub.left(self._event_id, user_id, topic)
            raise
        finally:
            topic.joining -= 1
        self._topic, self._member = topic, member
        topic.add(member, self)
        self._is_due = True
