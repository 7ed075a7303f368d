"""WebSocket on uvicorn that also sends finished frames: `Config(ws=WebSocketProtocol)`.

What a broadcast to thousands costs is the way that each message takes: a queue, a task, a dictionary, a
framing. A finished frame goes to the socket's own buffer instead, and what a connection keeps is little.
No compression; no pings of its own: the application pings (transport.websocket), and drops the silent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected, get_local_addr, get_remote_addr, is_ssl
from uvicorn.server import ServerState

from transport.overload.memory_budget import ConnectionMemory
from transport.protocol.asgi import Message, Scope

from .event_sources import SINK_EXTENSION
from .frames import (
    BINARY,
    CLOSE,
    NO_STATUS,
    PING,
    PONG,
    TEXT,
    FrameFault,
    FrameReader,
    Received,
    close_frame,
    frame,
)
from .handshake import FAILED, FORBIDDEN, UNAVAILABLE, HandshakeRejected, Opening, read_opening

log = logging.getLogger("uvicorn.error")

FULL_BYTES = 65_536
"""The unsent bytes at which a socket is full; it has room again at a quarter of them."""
INBOX_MESSAGES = 16
"""The unread messages at which the socket stops reading, or that many bytes of them."""
INBOX_BYTES = 65_536
CLOSE_SECONDS = 10.0
"""How long a client has to answer a close."""
LINGER_SECONDS = 1.0
"""How long a client that broke the protocol may go on sending: an abort could discard our close frame."""
LOST, GOING_AWAY, FAULT = 1006, 1012, 1011


class WebSocketProtocol(asyncio.Protocol):
    """One connection; it is the `FrameSink` in its own scope."""

    __slots__ = (
        "_app_state", "_charged", "_close_timer", "_config", "_drained", "_goodbye", "_inbox", "_inbox_bytes",
        "_is_deaf", "_loop", "_memory", "_opening", "_overflow", "_reader", "_reading", "_room",
        "_server_state", "_state", "_transport", "full_since", "is_full",
    )  # fmt: skip

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:
        self._config = config
        self._server_state = server_state
        self._app_state = app_state
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._reader = FrameReader(config.ws_max_size)
        self._opening: Opening | None = None
        self._state = "connecting"
        """connecting, open, closing (we have sent a close), closed"""
        self._inbox: list[Message] = []
        self._inbox_bytes = 0
        self._memory: ConnectionMemory | None = None
        self._overflow: Callable[[], None] = lambda: None
        self._charged = 0
        self._goodbye: Message | None = None
        self._reading: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._close_timer: asyncio.TimerHandle | None = None
        self._is_deaf = False
        self._drained: Callable[[], None] | None = None
        self.is_full = False
        self.full_since: float | None = None

    # From the event loop and uvicorn

    def connection_made(self, transport: Any) -> None:
        """Take over a connection whose request asks for a WebSocket."""
        self._transport = transport
        transport.set_write_buffer_limits(high=FULL_BYTES)
        self._server_state.connections.add(self)  # type: ignore[arg-type]  # it names its own classes

    def connection_lost(self, exc: Exception | None) -> None:
        """Clean up, whichever side closed the connection."""
        self._server_state.connections.discard(self)
        self._state = "closed"
        self.is_full, self.full_since, self._drained = True, None, None
        if self._close_timer is not None:
            self._close_timer.cancel()
        self._disconnect(LOST)
        self._wake(self._room)

    def data_received(self, data: bytes) -> None:
        """Read the request, then frames; after a fault, ignore everything but the client's close."""
        if self._opening is None:
            self._open(data)
            return
        if self._is_deaf:
            return
        try:
            for received in self._reader.feed(data):
                self._take(received)
                if self._state == "closed":
                    return
            self._charge_unread()
        except FrameFault as fault:
            self._is_deaf = True
            if self._state == "open":
                self._close(fault.code, fault.reason, LINGER_SECONDS)

    def eof_received(self) -> None:
        """The client has closed its side: close the connection."""

    def pause_writing(self) -> None:
        """The send buffer is full."""
        self.is_full, self.full_since = True, self._loop.time()

    def resume_writing(self) -> None:
        """The send buffer has room again."""
        self.is_full, self.full_since = False, None
        self._wake(self._room)
        if self._drained is not None:
            self._drained()

    def shutdown(self) -> None:
        """Close, since uvicorn stops: the client reconnects elsewhere."""
        if self._state == "open":
            self._transport.write(close_frame(GOING_AWAY, "Service restart"))
            self._disconnect(GOING_AWAY)
        elif self._state == "connecting":
            self._transport.write(UNAVAILABLE)
        self._hang_up()

    # For the application: the sink

    def write(self, frame: bytes) -> None:
        """See `FrameSink`."""
        if self._state == "open":
            self._transport.write(frame)

    def write_pieces(self, pieces: Sequence[bytes]) -> None:
        """See `FrameSink`."""
        if self._state == "open":
            self._transport.writelines(pieces)

    def charge(self, memory: ConnectionMemory, overflow: Callable[[], None]) -> None:
        """See `FrameSink`."""
        self._memory, self._overflow = memory, overflow

    def on_drained(self, call: Callable[[], None]) -> None:
        """See `FrameSink`."""
        self._drained = call

    async def room(self) -> None:
        """See `FrameSink`."""
        while self.is_full and self._state != "closed":
            if self._room is None or self._room.done():
                self._room = self._loop.create_future()
            await asyncio.shield(self._room)

    # For the application: ASGI

    async def receive(self) -> Message:
        """The client's next message; a disconnect, repeated, once the client has gone."""
        while not self._inbox:
            if self._goodbye is not None:
                return self._goodbye
            self._reading = self._loop.create_future()
            try:
                await self._reading
            finally:
                self._reading = None
        message = self._inbox.pop(0)
        self._inbox_bytes -= len(message.get("text") or message.get("bytes") or b"")
        self._charge_unread()
        if self._inbox:
            await asyncio.sleep(0)  # let other tasks run during a burst of messages
        elif self._state != "closed":
            self._transport.resume_reading()
        return message

    async def send(self, message: Message) -> None:
        """Accept, send or close. Raises: ClientDisconnected once the client has gone."""
        match message["type"], self._state:
            case _, "closed":
                raise ClientDisconnected
            case "websocket.accept", "connecting":
                self._accept(message)
            case "websocket.close", "connecting":
                self._transport.write(FORBIDDEN)
                self._disconnect(LOST)
                self._hang_up()
            case "websocket.send", "open":
                await self.room()
                text = message.get("text")
                self.write(frame(BINARY, message["bytes"]) if text is None else frame(TEXT, text.encode()))
            case "websocket.close", "open":
                self._close(message.get("code", 1000), message.get("reason") or "")
            case kind, state:
                raise RuntimeError(f"{kind} cannot be sent while the socket is {state}.")

    def _accept(self, message: Message) -> None:
        assert self._opening is not None, "its request was read"
        headers = [*self._server_state.default_headers, *message.get("headers", ())]
        self._transport.write(self._opening.response(message.get("subprotocol"), headers))
        self._state = "open"

    def _close(self, code: int, reason: str, patience_seconds: float = CLOSE_SECONDS) -> None:
        if self._reader.held_bytes > FULL_BYTES:
            # A long message is on its way: it is not kept, and the client's close behind it is not read.
            self._is_deaf, self._reader, patience_seconds = True, FrameReader(0), LINGER_SECONDS
        self._transport.write(close_frame(code, reason))
        self._state = "closing"
        self._disconnect(code, reason)
        self._inbox.clear()
        self._inbox_bytes = 0
        self._transport.resume_reading()
        self._close_timer = self._loop.call_later(patience_seconds, self._transport.abort)

    def _open(self, data: bytes) -> None:
        try:
            self._opening = opening = read_opening(data.partition(b"\r\n\r\n")[0])
        except HandshakeRejected as refused:
            self._transport.write(refused.response)
            self._hang_up()
            return
        self._inbox.append({"type": "websocket.connect"})
        task = self._loop.create_task(self._run(self._scope(opening)))
        self._server_state.tasks.add(task)
        task.add_done_callback(self._server_state.tasks.discard)

    def _scope(self, opening: Opening) -> Scope:
        transport, root_path = self._transport, self._config.root_path
        return {
            "type": "websocket",
            "asgi": {"version": self._config.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "wss" if is_ssl(transport) else "ws",
            "server": get_local_addr(transport),
            "client": get_remote_addr(transport),
            "root_path": root_path,
            "path": root_path + unquote(opening.path.decode("ascii")),
            "raw_path": root_path.encode("ascii") + opening.path,
            "query_string": opening.query_string,
            "headers": opening.headers,
            "subprotocols": opening.subprotocols,
            "state": self._app_state.copy(),
            "extensions": {SINK_EXTENSION: self},
        }

    async def _run(self, scope: Scope) -> None:
        """Run the application, and close a connection that it leaves open."""
        try:
            await self._config.loaded_app(scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except Exception:
            log.exception("Exception in ASGI application")
            self._fail()
        finally:
            if self._state == "connecting":
                self._transport.write(FAILED)
            if self._state != "closing":
                self._hang_up()

    def _fail(self) -> None:
        if self._state == "open":
            self._transport.write(close_frame(FAULT, "Internal error"))

    def _take(self, received: Received) -> None:
        """Hand a client's message to the application; control frames are answered here."""
        if received.opcode == CLOSE:
            self._disconnect(received.code, received.text)
            if self._state == "open":
                self._transport.write(close_frame(received.code, ""))
            self._hang_up()
        elif self._state != "open" or received.opcode == PONG:
            return
        elif received.opcode == PING:
            if not self.is_full:
                self._transport.write(frame(PONG, received.body))
        elif received.opcode == TEXT:
            self._put({"type": "websocket.receive", "text": received.text})
        else:
            self._put({"type": "websocket.receive", "bytes": received.body})

    def _charge_unread(self) -> None:
        """Charge the bytes that were received and not read: those of a message that is not complete too."""
        unread = self._reader.held_bytes + self._inbox_bytes
        change, memory = unread - self._charged, self._memory
        if not change or memory is None:
            return
        if change < 0:
            memory.release(-change)
        elif not memory.take(change):
            self._overflow()
            return
        self._charged = unread

    def _put(self, message: Message) -> None:
        self._inbox.append(message)
        self._inbox_bytes += len(message.get("text") or message.get("bytes") or b"")
        self._wake(self._reading)
        if len(self._inbox) >= INBOX_MESSAGES or self._inbox_bytes > INBOX_BYTES:
            self._transport.pause_reading()

    def _disconnect(self, code: int, reason: str = "") -> None:
        """Send the application a disconnect, once."""
        if self._goodbye is None:
            self._goodbye = {"type": "websocket.disconnect", "code": code or NO_STATUS, "reason": reason}
            self._wake(self._reading)

    def _hang_up(self) -> None:
        """Close the connection once the buffer is sent, or at once where the client reads nothing."""
        if self.is_full:
            self._transport.abort()
        else:
            self._transport.close()
        if self._close_timer is not None:
            self._close_timer.cancel()
        self._state, self.is_full = "closed", True

    @staticmethod
    def _wake(waiting: asyncio.Future[None] | None) -> None:
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
