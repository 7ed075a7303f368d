"""Channels: many local listeners on one upstream subscription each, every one with a bounded mailbox."""

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
    """What one listener has not read yet. It never grows: a full one says that something was missed."""

    def __init__(self, most: int) -> None:
        self._messages: deque[str] = deque()
        self._most = most
        self._filled = asyncio.Event()

    def put(self, message: str) -> None:
        """Add a message; where there is no room, everything becomes one gap."""
        if len(self._messages) >= self._most:
            self._messages.clear()
            message = GAP
        self._messages.append(message)
        self._filled.set()

    async def get(self) -> str | None:
        """The next message; None stands for messages that were missed: look at the source again."""
        while not self._messages:
            self._filled.clear()
            await self._filled.wait()
        message = self._messages.popleft()
        return None if message == GAP else message

    async def wait(self, seconds: float) -> bool | None:
        """Wait for anything, and forget it all: True, None where something was missed, False in vain."""
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
        # Of each channel that somebody joins, listens to or leaves; all who do so hold on to the same one.
        self._joining: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
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
        """Tell every process's listeners; nobody is told whether it arrived."""
        await self._backend.publish(channel, message)

    @contextlib.asynccontextmanager
    async def subscribe(self, channel: str, most: int = _MAILBOX) -> AsyncIterator[Mailbox]:
        """A mailbox that misses nothing from here on.

        Raises:
            Unavailable: the server could not be asked in time.
        """
        mailbox = Mailbox(most)
        lock = self._joining.setdefault(channel, asyncio.Lock())
        async with lock:
            if channel not in self._mailboxes:
                await self._hear(channel)
                self._mailboxes[channel] = set()
            self._mailboxes[channel].add(mailbox)
        try:
            yield mailbox
        finally:
            await asyncio.shield(self._leave(channel, mailbox, lock))

    async def _hear(self, channel: str) -> None:
        """Subscribe upstream; a caller that is cancelled meanwhile leaves nothing behind."""
        subscribing = asyncio.ensure_future(self._backend.subscribe(channel))
        try:
            # Shielded: the client library swallows a cancellation that comes while it writes.
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
