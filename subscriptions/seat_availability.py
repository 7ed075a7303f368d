"""seatAvailability: a snapshot or a replay, then every change in order."""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import UUID

from domain.updates import SeatAvailabilityUpdate
from pubsub.channels import Channels
from services.context import ServiceContext
from subscriptions.seat_topic import SeatBuffer, SeatTopic

_READY_SECONDS = 5.0
# A topic without subscribers stays for this long, because a reloaded page subscribes again.
_LINGER_SECONDS = 10.0


class SeatHub:
    """The seat topics of one process: one upstream subscription an event for any number of subscribers."""

    def __init__(
        self, context: ServiceContext, channels: Channels, watch_lag: Callable[[float], None] = lambda _: None
    ) -> None:
        self._context = context
        self._watch_lag = watch_lag
        self._channels = channels
        self._topics: dict[UUID, SeatTopic] = {}

    @property
    def topics(self) -> int:
        """The number of events that have subscribers."""
        return len(self._topics)

    def stream(self, event_id: UUID, since_version: int | None = None) -> "SeatStream":
        """Return a stream of a snapshot, or of the changes since a version, and then of every change.

        Its first item raises:
            NotFound: There is no such event.
            Unavailable: The map could not be read in time.
        """
        return SeatStream(self, event_id, since_version)

    async def topic(self, event_id: UUID) -> SeatTopic:
        """Return the event's topic, opened if necessary."""
        sale = await self._context.sale(event_id)
        seat_map = await self._context.seat_map(sale.seat_map_version)
        topic = self._topics.get(event_id)
        if topic is None:
            topic = SeatTopic(self._context, self._channels, event_id, seat_map, self._watch_lag)
            self._topics[event_id] = topic
        return topic

    def left(self, event_id: UUID) -> None:
        """Close the topic after a delay, if it has no subscriber by then."""
        asyncio.get_running_loop().call_later(_LINGER_SECONDS, self._close_unused, event_id)

    def _close_unused(self, event_id: UUID) -> None:
        topic = self._topics.get(event_id)
        if topic is not None and topic.subscribers == 0:
            del self._topics[event_id]
            topic.close()

    def close(self) -> None:
        """End every stream."""
        for topic in self._topics.values():
            topic.close()
        self._topics.clear()


class SeatStream(AsyncIterator[SeatAvailabilityUpdate]):
    """One subscriber's stream: it is iterated, or calls back once it is attached."""

    __slots__ = ("_buffer", "_event_id", "_hub", "_since_version", "_topic")

    def __init__(self, hub: SeatHub, event_id: UUID, since_version: int | None) -> None:
        self._hub = hub
        self._event_id = event_id
        self._since_version = since_version
        self._topic: SeatTopic | None = None
        self._buffer: SeatBuffer | None = None

    async def __anext__(self) -> SeatAvailabilityUpdate:
        first = await self._begin() if self._buffer is None else None
        if first is not None:
            return first
        assert self._buffer is not None, "it has begun"
        update = await self._buffer.next()
        if update is None:
            raise StopAsyncIteration
        return update

    def attach(self, wake: Callable[[], None]) -> SeatBuffer:
        """Call back on every change and at the end, and return the buffer; the first item was awaited."""
        assert self._buffer is not None, "its first item was awaited"
        self._buffer.attach(wake)
        return self._buffer

    def detach(self) -> None:
        """End the subscription."""
        topic, buffer, self._topic = self._topic, self._buffer, None
        if topic is not None and buffer is not None:
            topic.leave(buffer)
            buffer.detach()
            self._hub.left(self._event_id)

    async def aclose(self) -> None:
        """End the subscription."""
        self.detach()

    async def _begin(self) -> SeatAvailabilityUpdate | None:
        """Subscribe, and return the map or the changes since the version; None where there are none."""
        topic = self._topic = await self._hub.topic(self._event_id)
        buffer = self._buffer = topic.join()
        await topic.ready(_READY_SECONDS)
        since = self._since_version
        if since is not None:
            await topic.reach(since, _READY_SECONDS)
        replay = None if since is None else await topic.replay(since)
        topic.start(buffer)
        if replay is None:
            return topic.snapshot()
        return replay if replay.version != replay.previous_version else None
