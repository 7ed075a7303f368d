"""seatAvailability: a snapshot or a replay, then every change in order."""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import UUID

from domain.updates import SeatAvailabilityUpdate
from pubsub.channels import Channels
from services.office import Office
from subscriptions.seat_topic import SeatTopic, Watcher

_READY_SECONDS = 5.0
# A topic that nobody watches stays warm for this long: whoever reloads the page finds it.
_LINGER_SECONDS = 10.0


class SeatHub:
    """The topics of one process: one upstream subscription an event, however many watch it."""

    def __init__(
        self, office: Office, channels: Channels, watch_lag: Callable[[float], None] = lambda _: None
    ) -> None:
        self._office = office
        self._watch_lag = watch_lag
        self._channels = channels
        self._topics: dict[UUID, SeatTopic] = {}

    @property
    def topics(self) -> int:
        """How many events are being watched."""
        return len(self._topics)

    async def stream(
        self, event_id: UUID, since_version: int | None = None
    ) -> AsyncIterator[SeatAvailabilityUpdate]:
        """A snapshot, or what has changed since a version, then every change.

        Raises:
            NotFound: there is no such event.
            Unavailable: the map could not be read in time.
        """
        topic = await self._topic(event_id)
        with topic.watcher() as watcher:
            try:
                await topic.ready(_READY_SECONDS)
                async for update in _updates(topic, watcher, since_version):
                    yield update
            finally:
                asyncio.get_running_loop().call_later(_LINGER_SECONDS, self._close_unwatched, event_id)

    async def _topic(self, event_id: UUID) -> SeatTopic:
        sale = await self._office.sale(event_id)
        seat_map = await self._office.seat_map(sale.seat_map_version)
        topic = self._topics.get(event_id)
        if topic is None:
            topic = SeatTopic(self._office, self._channels, event_id, seat_map, self._watch_lag)
            self._topics[event_id] = topic
        return topic

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


async def _updates(
    topic: SeatTopic, watcher: Watcher, since_version: int | None
) -> AsyncIterator[SeatAvailabilityUpdate]:
    watcher.clear()
    replay = None if since_version is None else await topic.replay(since_version)
    if replay is None:
        watcher.clear()
        yield topic.snapshot()
    elif replay.version != replay.previous_version:
        yield replay
    while (update := await watcher.next()) is not None:
        yield update
