"""Channels: one upstream subscription for all local subscribers, each with a bounded mailbox."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from weakref import WeakValueDictionary

from broadcaster._backends.base import BroadcastBackend

from kit.tasks import stopped
from pubsub.redis_backend import GAP

_MAILBOX = 256


class Mailbox:
    """The unread messages of one subscriber, at most `most`; an overflow becomes one gap."""

    def __init__(self, most: int) -> None:
        self._messages: deque[str] = deque()
        self._most = most
        self._filled = asyncio.Event()

    def put(self, message: str) -> None:
        """Add a message; in a full mailbox one gap replaces all messages."""
        if len(self._messages) >= self._most:
            self._messages.clear()
            message = GAP
        self._messages.append(message)
        self._filled.set()

    async def get(self) -> str | None:
        """The next message; None for a gap, after which the subscriber reads the source again."""
        while not self._messages:
            self._filled.clear()
            await self._filled.wait()
        message = self._messages.popleft()
        return None if message == GAP else message

    async def wait(self, seconds: float) -> bool | None:
        """Wait for messages and drop them all: True, None after a gap, False after `seconds` without any."""
        try:
            async with asyncio.timeout(seconds):
                missed = await self.get() is None
        except TimeoutError:
            return False
        missed = missed or GAP in self._messages
        self._messages.clear()
        return None if missed else True


class Channels:
    """The pub/sub of one process."""

    def __init__(self, backend: BroadcastBackend) -> None:
        self._backend = backend
        self._mailboxes: dict[str, set[Mailbox]] = {}
        # One lock for each channel in use; it lives as long as a subscriber holds it.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._listener: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start listening."""
        await self._backend.connect()
        self._listener = asyncio.create_task(self._listen())

    async def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            await stopped(self._listener)
        await self._backend.disconnect()

    async def publish(self, channel: str, message: str) -> None:
        """Send a message to the subscribers of every process; delivery is not confirmed."""
        await self._backend.publish(channel, message)

    @contextlib.asynccontextmanager
    async def subscribe(self, channel: str, most: int = _MAILBOX) -> AsyncIterator[Mailbox]:
        """A mailbox with every message (or a gap) while the context is open.

        Raises:
            Unavailable: Redis did not confirm the subscription in time.
        """
        mailbox = Mailbox(most)
        lock = self._locks.setdefault(channel, asyncio.Lock())
        async with lock:
            if channel not in self._mailboxes:
                await self._subscribe_upstream(channel)
                self._mailboxes[channel] = set()
            self._mailboxes[channel].add(mailbox)
        try:
            yield mailbox
        finally:
            await asyncio.shield(self._leave(channel, mailbox, lock))

    async def _subscribe_upstream(self, channel: str) -> None:
        """Subscribe in Redis; a cancelled caller leaves no subscription."""
        subscribing = asyncio.ensure_future(self._backend.subscribe(channel))
        try:
            # Shielded: the client library swallows a cancellation during a write.
            await asyncio.shield(subscribing)
        except asyncio.CancelledError:
            await asyncio.gather(subscribing, return_exceptions=True)
            await self._backend.unsubscribe(channel)
            raise

    async def _leave(self, channel: str, mailbox: Mailbox, lock: asyncio.Lock) -> None:
        async with lock:
            mailboxes = self._mailboxes[channel]
            mailboxes.discard(mailbox)
            if not mailboxes:
                del self._mailboxes[channel]
                await self._backend.unsubscribe(channel)

    async def _listen(self) -> None:
        while True:
            event = await self._backend.next_published()
            for mailbox in self._mailboxes.get(event.channel, ()):
                mailbox.put(event.message)
