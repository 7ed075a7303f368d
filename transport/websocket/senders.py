"""The sending half of a WebSocket: through ASGI's send, or as finished frames."""

from __future__ import annotations

import asyncio
from typing import Protocol

from transport.protocol.asgi import Scope, Send
from transport.protocol.payload import Payload

from .event_sources import SINK_EXTENSION, FrameSink
from .frames import text_frame


class Sender(Protocol):
    """The sending half of one socket."""

    @property
    def sink(self) -> FrameSink | None:
        """Takes finished frames; None where the server has no such extension."""

    @property
    def blocked_since(self) -> float | None:
        """The loop's time since which the client reads nothing; None while it reads."""

    async def send(self, text: bytes) -> None:
        """Send one message of UTF-8 text; return once the socket has taken it."""

    async def send_payload(self, payload: Payload, quoted_id: bytes) -> None:
        """Send a next message to the operation of an id (as JSON)."""


class AsgiSender:
    """Any ASGI server: one message at a time."""

    __slots__ = ("_lock", "_send", "blocked_since", "sink")

    def __init__(self, send: Send) -> None:
        self.sink: FrameSink | None = None
        self.blocked_since: float | None = None
        self._send = send
        self._lock = asyncio.Lock()

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
    """A server that takes frames: nothing is framed twice, and only a full socket is waited for."""

    __slots__ = ("_sink",)

    def __init__(self, sink: FrameSink) -> None:
        self._sink = sink

    @property
    def sink(self) -> FrameSink:
        """See `Sender`."""
        return self._sink

    @property
    def blocked_since(self) -> float | None:
        """See `Sender`."""
        return self._sink.full_since

    async def send(self, text: bytes) -> None:
        """See `Sender`."""
        if self._sink.is_full:
            await self._sink.room()
        self._sink.write(text_frame(text))

    async def send_payload(self, payload: Payload, quoted_id: bytes) -> None:
        """See `Sender`."""
        if self._sink.is_full:
            await self._sink.room()
        self._sink.write(payload.framed(quoted_id, text_frame))


def sender_of(scope: Scope, send: Send) -> AsgiSender | FrameSender:
    """The best sender that the server of this socket offers."""
    sink = scope.get("extensions", {}).get(SINK_EXTENSION)
    return AsgiSender(send) if sink is None else FrameSender(sink)
