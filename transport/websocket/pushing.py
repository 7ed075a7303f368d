"""Pushing an event source: each event is written to the socket in the turn in which it is notified.

No task waits for events and no queue holds them: while the socket is full, they stay in the source, which
merges them, and what has gathered is sent once the socket has room again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from transport.execution.subscription import Subscription
from transport.protocol.payload import Payload

from .event_sources import Buffer, EventSource
from .senders import FrameSender


class Push:
    """One subscription whose first event has been sent, from here to its end."""

    __slots__ = ("_buffer", "_executing", "_finish", "_quoted_id", "_sender", "_source", "_subscription")

    def __init__(
        self,
        subscription: Subscription,
        source: EventSource,
        sender: FrameSender,
        quoted_id: bytes,
        finish: Callable[[Payload | None], None],
    ) -> None:
        self._subscription = subscription
        self._source = source
        self._sender = sender
        self._quoted_id = quoted_id
        self._finish = finish
        self._buffer: Buffer | None = None
        self._executing: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Send the waiting events, and from now on each new one."""
        self._buffer = self._source.attach(self.wake)
        self.wake()

    def wake(self) -> None:
        """Send the waiting events where the socket has room; at the end of the source, finish once."""
        buffer, sender = self._buffer, self._sender
        if not sender.may_push or self._executing is not None or buffer is None:
            return
        try:
            event = buffer.take()
            if event is not None:
                payload = self._subscription.payload(event)
                if not isinstance(payload, Payload):
                    self._executing = asyncio.ensure_future(self._send_later(payload))
                    return
                sender.push(payload, self._quoted_id)
        except Exception as error:
            self._finish(self._subscription.failure(error))
            return
        if buffer.ended:
            self._finish(None)

    def stop(self) -> None:
        """Send nothing more, and detach from the source."""
        self._buffer = None
        if self._executing is not None:
            self._executing.cancel()
        self._source.detach()

    async def _send_later(self, executing: Awaitable[Payload]) -> None:
        """Send an event whose execution had to wait; later ones gather in the source meanwhile."""
        try:
            payload = await executing
        except Exception as error:
            self._finish(self._subscription.failure(error))
            return
        await self._sender.send_payload(payload, self._quoted_id)
        self._executing = None
        self.wake()
