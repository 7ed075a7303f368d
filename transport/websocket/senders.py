"""The sending half of a WebSocket: through ASGI's send, or as finished frames."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from transport.overload.memory_budget import ConnectionMemory
from transport.protocol.asgi import Scope, Send
from transport.protocol.payload import CLOSING, Payload

from .event_sources import SINK_EXTENSION, FrameSink
from .frames import head_of_text, text_frame

LARGE_BODY_BYTES = 16_384
"""A larger answer is written in pieces, so that sockets share its bytes whatever their ids are."""
PUSH_BURST_BYTES = 2_000_000
PUSH_BYTES_PER_SECOND = 500_000
"""What the events of one connection's subscriptions may weigh; beyond it they wait in their sources, which
merge them. A busy broadcast is some 100 kB a second."""


class Sender(Protocol):
    """The sending half of one socket."""

    @property
    def blocked_since(self) -> float | None:
        """The loop's time since which the client reads nothing; None while it reads."""

    async def ready(self) -> None:
        """Wait until the client reads: what is made before would only wait in memory."""

    async def send(self, text: bytes) -> None:
        """Send one message of UTF-8 text; return once the socket has taken it."""

    async def send_payload(self, payload: Payload, quoted_id: bytes) -> None:
        """Send a next message to the operation of an id (as JSON)."""


class AsgiSender:
    """Any ASGI server: one message at a time."""

    __slots__ = ("_lock", "_send", "blocked_since")

    def __init__(self, send: Send) -> None:
        self.blocked_since: float | None = None
        self._send = send
        self._lock = asyncio.Lock()

    async def ready(self) -> None:
        """See `Sender`."""
        async with self._lock:
            pass

    async def send(self, text: bytes) -> None:
        """See `Sender`."""
        async with self._lock:
            self.blocked_since = asyncio.get_running_loop().time()
            try:
                await self._send({"type": "websocket.send", "text": text.decode()})
            finally:
                self.blocked_since = None

    async def send_payload(self, payload: Payload, quoted_id: bytes) -> None:
        """See `Sender`."""
        await self.send(payload.next_message(quoted_id))


class FrameSender:
    """A server that takes frames: nothing is framed twice, and only a full socket is waited for.

    Answers that wait for a full socket, or in its buffer, are charged to the connection's memory unless
    other sockets share them. Where there is no memory left, `overflow` is called, to end the connection.
    """

    __slots__ = (
        "_credit",
        "_memory",
        "_overflow",
        "_refilled_at",
        "_resume",
        "_sink",
        "_unsent",
        "is_paused",
    )

    def __init__(self, sink: FrameSink, memory: ConnectionMemory, overflow: Callable[[], None]) -> None:
        self._sink = sink
        self._memory = memory
        self._overflow = overflow
        self._unsent = 0
        self._credit = float(PUSH_BURST_BYTES)
        self._refilled_at = asyncio.get_running_loop().time()
        self._resume: Callable[[], None] = lambda: None
        self.is_paused = False
        """Whether the subscriptions of the connection have sent as much as they may for now."""

    @property
    def sink(self) -> FrameSink:
        """See `Sender`."""
        return self._sink

    @property
    def blocked_since(self) -> float | None:
        """See `Sender`."""
        return self._sink.full_since

    @property
    def may_push(self) -> bool:
        """Whether an event may be sent now; otherwise it waits in its source."""
        return not (self._sink.is_full or self.is_paused)

    def on_ready(self, resume: Callable[[], None]) -> None:
        """Call this whenever events may be sent again."""
        self._resume = resume
        self._sink.on_drained(self._drained)

    async def ready(self) -> None:
        """See `Sender`."""
        if self._sink.is_full:
            await self._sink.room()

    async def send(self, text: bytes) -> None:
        """See `Sender`."""
        await self.ready()
        self._sink.write(text_frame(text))

    async def send_payload(self, payload: Payload, quoted_id: bytes) -> None:
        """See `Sender`."""
        if not self._sink.is_full:
            self.write_payload(payload, quoted_id)
            return
        size_bytes = 0 if payload.is_shared else len(payload.body)
        if not self._memory.take(size_bytes):
            self._overflow()
            return
        try:
            await self._sink.room()
        finally:
            self._memory.release(size_bytes)
        self.write_payload(payload, quoted_id)

    def push(self, payload: Payload, quoted_id: bytes) -> None:
        """Send an event; the bytes of all events of the connection are bounded in time."""
        self.write_payload(payload, quoted_id)
        self._credit -= len(payload.body)
        if self._credit < 0:
            self._refill()

    def write_payload(self, payload: Payload, quoted_id: bytes) -> None:
        """Write a next message, even to a full socket."""
        body = payload.body
        if len(body) <= LARGE_BODY_BYTES:
            self._sink.write(payload.framed(quoted_id, text_frame))
            return
        opening = payload.opening(quoted_id)
        head = head_of_text(len(opening) + len(body) + len(CLOSING))
        self._sink.write_pieces((head + opening, body, CLOSING))
        if self._sink.is_full and not payload.is_shared:
            if self._memory.take(len(body)):
                self._unsent += len(body)
            else:
                self._overflow()

    def _drained(self) -> None:
        self._memory.release(self._unsent)
        self._unsent = 0
        if not self.is_paused:
            self._resume()

    def _refill(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        earned = (now - self._refilled_at) * PUSH_BYTES_PER_SECOND
        self._credit = min(self._credit + earned, float(PUSH_BURST_BYTES))
        self._refilled_at = now
        if self._credit < 0 and not self.is_paused:
            self.is_paused = True
            loop.call_later(-self._credit / PUSH_BYTES_PER_SECOND, self._go_on)

    def _go_on(self) -> None:
        self.is_paused = False
        if not self._sink.is_full:
            self._resume()


def sender_of(
    scope: Scope, send: Send, memory: ConnectionMemory, overflow: Callable[[], None]
) -> AsgiSender | FrameSender:
    """The best sender that the server of this socket offers."""
    sink = scope.get("extensions", {}).get(SINK_EXTENSION)
    return AsgiSender(send) if sink is None else FrameSender(sink, memory, overflow)
