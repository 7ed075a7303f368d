"""Uvicorn's WebSocket protocol, with a way in for frames that are finished already.

What a broadcast to thousands costs is the way each message takes: a queue, a task, a dictionary, a
framing. A finished frame goes to the socket's own buffer instead. Handshake, client messages, pings
and closing stay with uvicorn and the websockets library.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from .feeds import SINK_EXTENSION

FULL_BYTES = 65_536
"""A socket with so many bytes that its client has not taken is full; it has room again at a quarter."""


class FrameProtocol(WebSocketsSansIOProtocol):
    """One connection; it is the `FrameSink` in its own scope."""

    is_full = False
    full_since: float | None = None
    _drained: Callable[[], None] | None = None

    def connection_made(self, transport: Any) -> None:
        """Bound what is buffered for a client."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=FULL_BYTES)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing can be written any more."""
        self.is_full, self.full_since = True, None
        self._drained = None
        super().connection_lost(exc)

    async def run_asgi(self) -> None:
        """Offer the sink to the application."""
        extensions: dict[str, Any] = self.scope["extensions"]
        if not self.config.ws_per_message_deflate:
            extensions[SINK_EXTENSION] = self
        await super().run_asgi()

    def write(self, frame: bytes) -> None:
        """See `FrameSink`."""
        if not (self.close_sent or self.transport.is_closing()):
            self.transport.write(frame)

    def on_drained(self, call: Callable[[], None]) -> None:
        """See `FrameSink`."""
        self._drained = call

    async def room(self) -> None:
        """See `FrameSink`."""
        await self.writable.wait()

    def pause_writing(self) -> None:
        """The client is slow."""
        super().pause_writing()
        self.is_full, self.full_since = True, self.loop.time()

    def resume_writing(self) -> None:
        """The client has caught up."""
        super().resume_writing()
        self.is_full, self.full_since = False, None
        if self._drained is not None:
            self._drained()
