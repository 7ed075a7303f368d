"""eventUpdated: the event, at once, when its status changes by the clock, and after every change of it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, fields
from uuid import UUID

from db.queries.events import EventRow, event_by_id
from domain.errors import BoxofficeError, NotFound, Unavailable
from domain.states import EventState, EventStatus, event_status, is_selling, next_sale_change
from kit.shared_answers import SharedAnswers
from services.context import ServiceContext, reading
from subscriptions.signals import Signal

log = logging.getLogger("boxoffice.events")

# A message may be lost, so a watched event is also read at this interval.
POLL_SECONDS = 5.0
_RETRY_SECONDS = 1.0
_READY_SECONDS = 5.0
# A topic without subscribers stays for this long, because a reloaded page subscribes again.
_LINGER_SECONDS = 10.0
_WOKEN_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class EventUpdate(EventRow):
    """An event to send. `shared` is one object for all subscribers: transport stores the message in it."""

    shared: SharedAnswers = field(default_factory=SharedAnswers, compare=False)

    @classmethod
    def of(cls, row: EventRow) -> "EventUpdate":
        """The update with an event's present row."""
        return cls(**{each.name: getattr(row, each.name) for each in fields(EventRow)})


class EventTopic:
    """One watched event in one process: read when it changes, and sent again at each time of its sale."""

    def __init__(self, context: ServiceContext, event_id: UUID) -> None:
        self._context = context
        self._event_id = event_id
        self._row: EventRow | None = None
        self._sent: tuple[EventRow, EventStatus, bool] | None = None
        self.update: EventUpdate | None = None
        """What was sent last; None once nobody may see the event"""
        self.joining = 0
        """The number of subscribers that are about to be added"""
        self._streams: dict[EventStream, None] = {}
        self._changed = asyncio.Event()
        self._ready = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    @property
    def subscribers(self) -> int:
        """The number of subscribers, those that are joining included."""
        return len(self._streams) + self.joining

    async def ready(self, seconds: float) -> None:
        """Wait until the event was read.

        Raises:
            Unavailable: It was not read within `seconds`.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._ready.wait()
        except TimeoutError as error:
            raise Unavailable from error

    def changed(self) -> None:
        """Read the event again."""
        self._changed.set()

    def add(self, stream: "EventStream") -> None:
        """Wake this subscriber from now on."""
        self._streams[stream] = None

    def remove(self, stream: "EventStream") -> None:
        """Stop waking this subscriber."""
        self._streams.pop(stream, None)

    def close(self) -> None:
        """Stop, and end every stream."""
        self._task.cancel()
        self.update = None
        for stream in tuple(self._streams):
            stream.end()

    async def _run(self) -> None:
        while True:
            seconds = POLL_SECONDS
            try:
                await self._read()
            except BoxofficeError as error:
                log.warning("event %s: %s; reading it again", self._event_id, error)
                seconds = _RETRY_SECONDS
            except Exception:
                log.exception("event %s: an internal fault; reading it again", self._event_id)
                seconds = _RETRY_SECONDS
            await self._follow_the_clock(seconds)

    async def _read(self) -> None:
        self._changed.clear()
        row = await reading(event_by_id(self._context.database, self._event_id))
        self._row = None if row is None or row.state == EventState.DRAFT else row
        await self._send()
        self._ready.set()

    async def _follow_the_clock(self, seconds: float) -> None:
        """Send the event at each time of its sale, for so many seconds or until it has changed.

        Nothing is read for it: the database may be slow in the minute in which a sale opens.
        """
        clock = asyncio.get_running_loop().time
        until = clock() + seconds
        while (left := until - clock()) > 0:
            change = None if self._row is None else next_sale_change(self._row, self._context.now())
            if change is not None:
                left = min(left, (change - self._context.now()).total_seconds())
            if await self._wait(max(0.0, left)):
                return
            await self._send()

    async def _wait(self, seconds: float) -> bool:
        """Wait for a change, at most so many seconds; whether there was one."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def _send(self) -> None:
        """Send the event to every subscriber where it, or its status by the clock, is another than before."""
        row, now = self._row, self._context.now()
        if row is None:
            self._end()
            return
        present = row, event_status(row, now, sold_out=row.sold_out), is_selling(row, now)
        if present == self._sent:
            return
        self._sent, self.update = present, EventUpdate.of(row)
        streams = tuple(self._streams)
        for start in range(0, len(streams), _WOKEN_AT_ONCE):
            for stream in streams[start : start + _WOKEN_AT_ONCE]:
                self._wake(stream)
            await asyncio.sleep(0)

    def _wake(self, stream: "EventStream") -> None:
        try:
            stream.wake()
        except Exception:
            log.exception("event %s: a subscriber failed and was removed", self._event_id)
            self.remove(stream)
            stream.ended = True

    def _end(self) -> None:
        self._sent = self.update = None
        for stream in tuple(self._streams):
            stream.end()


class EventHub:
    """The watched events of one process: one reader an event for any number of subscribers."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._topics: dict[UUID, EventTopic] = {}

    @property
    def topics(self) -> int:
        """The number of watched events."""
        return len(self._topics)

    def stream(self, event_id: UUID) -> "EventStream":
        """Return a stream of the event, now and on every change.

        Its first item raises:
            NotFound: There is no such event, or it is a draft.
            Unavailable: The event could not be read in time.
        """
        return EventStream(self, event_id)

    def changed(self, event_id: UUID | None) -> None:
        """Read this event again if it is watched, or every watched one."""
        if event_id is None:
            for topic in self._topics.values():
                topic.changed()
        elif event_id in self._topics:
            self._topics[event_id].changed()

    def topic(self, event_id: UUID) -> EventTopic:
        """Return the event's topic, opened if necessary."""
        topic = self._topics.get(event_id)
        if topic is None:
            topic = self._topics[event_id] = EventTopic(self._context, event_id)
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


class EventStream(Signal, AsyncIterator[EventUpdate]):
    """One subscriber's stream: it is iterated, or calls back once it is attached. It is its own buffer.

    A slow subscriber gets the latest event, and no older one.
    """

    __slots__ = ("_event_id", "_hub", "_taken", "_topic", "ended")

    def __init__(self, hub: EventHub, event_id: UUID) -> None:
        super().__init__()
        self._hub = hub
        self._event_id = event_id
        self._topic: EventTopic | None = None
        self._taken: EventUpdate | None = None
        self.ended = False

    async def __anext__(self) -> EventUpdate:
        if self._topic is None:
            await self._begin()
        while (update := self.take()) is None:
            if self.ended:
                raise StopAsyncIteration
            await self._signalled()
        return update

    def wake(self) -> None:
        """Send the event: it is another than before."""
        self._signal()

    def end(self) -> None:
        """Signal the end."""
        self.ended = True
        self._signal()

    def attach(self, wake: Callable[[], None]) -> "EventStream":
        """Call back on every change from now on; the first item was awaited."""
        self._call = wake
        return self

    def take(self) -> EventUpdate | None:
        """Return the present event; None where it was taken already."""
        update = None if self._topic is None else self._topic.update
        if update is None or update is self._taken:
            return None
        self._taken = update
        return update

    def detach(self) -> None:
        """End the subscription."""
        topic, self._topic = self._topic, None
        self._call = None
        self.ended = True
        if topic is not None:
            topic.remove(self)
            self._hub.left(self._event_id)

    async def aclose(self) -> None:
        """End the subscription."""
        self.detach()

    async def _begin(self) -> None:
        topic = self._hub.topic(self._event_id)
        topic.joining += 1  # keeps the delayed closing by an earlier subscriber from ending it
        try:
            await topic.ready(_READY_SECONDS)
            if topic.update is None:
                raise NotFound("There is no such event.")
        except BaseException:
            self._hub.left(self._event_id)
            raise
        finally:
            topic.joining -= 1
        self._topic = topic
        topic.add(self)
