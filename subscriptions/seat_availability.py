"""seatAvailability: a snapshot or a replay, then every change in order."""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import UUID

from domain.updates import SeatAvailabilityUpdate
from pubsub.channels import Channels
from services.context import ServiceContext
from subscriptions.seat_topic import SeatTopic, Watcher

_READY_SECONDS = 5.0
# A topic that nobody watches stays warm for this long: whoever reloads the page finds it.
_LINGER_SECONDS = 10.0


class SeatHub:
    """The topics of one process: one upstream subscription an event, however many watch it."""

    def __init__(
        self, context: ServiceContext, channels: Channels, watch_lag: Callable[[float], None] = lambda _: None
    ) -> None:
        self._context = context
        self._watch_lag = watch_lag
        self._channels = channels
        self._topics: dict[UUID, SeatTopic] = {}

    @property
    def topics(self) -> int:
        """How many events are being watched."""
        return len(self._topics)

    def stream(self, event_id: UUID, since_version: int | None = None) -> "SeatStream":
        """A snapshot, or what has changed since a version, then every change.

        Its first item raises:
            NotFound: there is no such event.
            Unavailable: the map could not be read in time.
        """
        return SeatStream(self, event_id, since_version)

    async def topic(self, event_id: UUID) -> SeatTopic:
        """What is told of an event here."""
        sale = await self._context.sale(event_id)
        seat_map = await self._context.seat_map(sale.seat_map_version)
        topic = self._topics.get(event_id)
        if topic is None:
            topic = SeatTopic(self._context, self._channels, event_id, seat_map, self._watch_lag)
            self._topics[event_id] = topic
        return topic

    def left(self, event_id: UUID) -> None:
        """Somebody watches no more: the last one takes the topic along, in a while."""
        asyncio.get_running_loop().call_later(_LINGER_SECONDS, self._close_unwatched, event_id)

    def _close_unwatched(self, event_id: UUID) -> None:
        topic = self._topics.get(event_id)
        if topic is not None and topic.watched == 0:
            del self._topics[event_id]
            topic.close()

    def close(self) -> None:
        """End every stream."""
        for topic in self._topics.values():
            topic.close()
        self._topics.clear()


class SeatStream(AsyncIterator[SeatAvailabilityUpdate]):
    """One subscriber's stream: iterated, or, from `attach` on, one that calls."""

    __slots__ = ("_event_id", "_hub", "_since_version", "_topic", "_watcher")

    def __init__(self, hub: SeatHub, event_id: UUID, since_version: int | None) -> None:
        self._hub = hub
        self._event_id = event_id
        self._since_version = since_version
        self._topic: SeatTopic | None = None
        self._watcher: Watcher | None = None

    async def __anext__(self) -> SeatAvailabilityUpdate:
        first = await self._begin() if self._watcher is None else None
        if first is not None:
            return first
        assert self._watcher is not None, "it has begun"
        update = await self._watcher.next()
        if update is None:
            raise StopAsyncIteration
        return update

    def attach(self, wake: Callable[[], None]) -> Watcher:
        """Call this with every change from now on, and at the end; the first item was awaited."""
        assert self._watcher is not None, "its first item was awaited"
        self._watcher.attach(wake)
        return self._watcher

    def detach(self) -> None:
        """Watch no more."""
        topic, watcher, self._topic = self._topic, self._watcher, None
        if topic is not None and watcher is not None:
            topic.leave(watcher)
            watcher.detach()
            self._hub.left(self._event_id)

    async def aclose(self) -> None:
        """Watch no more."""
        self.detach()

    async def _begin(self) -> SeatAvailabilityUpdate | None:
        """Join, and say how the map stands: all of it, or what has changed since; None for no change."""
        topic = self._topic = await self._hub.topic(self._event_id)
        watcher = self._watcher = topic.join()
        await topic.ready(_READY_SECONDS)
        since = self._since_version
        replay = None if since is None else await topic.replay(since)
        topic.listen(watcher)
        if replay is None:
            return topic.snapshot()
        return replay if replay.version != replay.previous_version else None
