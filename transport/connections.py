"""HTTP/1.1 on uvicorn with every connection bounded: how many, and how long each may dawdle.

Uvicorn itself accepts as many as come, waits for ever for the end of a request's headers, and for
ever for a client that does not read its answer.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .admission import Admission
from .gate import turned_away

FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json; charset=utf-8\r\n"
    b"retry-after: 2\r\nconnection: close\r\ncontent-length: 100\r\n\r\n"
    b'{"errors":[{"message":"Too many connections; try again soon.","extensions":{"code":"OVERLOADED"}}]}\n'
)


class _TurnedAway:
    """Stands for the cycle of a request that was answered without one: nothing of it goes on."""

    response_complete = True
    disconnected = False
    message_event = asyncio.Event()


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection. Use `bounded` to make the class for a process."""

    admission: ClassVar[Admission]
    most_connections: ClassVar[int]
    request_seconds: ClassVar[float]
    """From a request's first byte to its last, and from the connection to its first request."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._is_receiving = False
        self._patience: asyncio.TimerHandle | None = None
        self._unread_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it on, or say that there is no room and hang up."""
        if len(self.connections) >= self.most_connections:
            self.transport = transport
            transport.write(FULL)
            transport.close()
            return
        super().connection_made(transport)
        self._patience = self.loop.call_later(self.request_seconds, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._be_patient()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a request that is not whole by now has so many seconds."""
        super().data_received(data)
        if self._is_receiving:
            if self._patience is None:
                self._patience = self.loop.call_later(self.request_seconds, self._give_up)
        elif self._patience is not None:
            self._be_patient()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_receiving = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Turn it away here, where that costs least, or let it become a request."""
        path = self.url.partition(b"?")[0].decode("latin-1")
        is_alone = self.cycle is None or self.cycle.response_complete
        if not is_alone or self.parser.should_upgrade() or self.admission.has_room(path):
            super().on_headers_complete()
            return
        self.cycle = _TurnedAway()  # type: ignore[assignment]
        self.transport.write(turned_away(self.admission, self.headers).as_bytes())
        if self.parser.should_keep_alive() and not self.admission.draining:
            self.on_response_complete()
        else:
            self.transport.close()

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._is_receiving = False
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """From here on the WebSocket's own clocks count."""
        self._is_receiving = False
        self._be_patient()
        super().handle_websocket_upgrade()

    def timeout_keep_alive_handler(self) -> None:
        """Hang up when idle; on one who reads nothing of its answer, without waiting for it."""
        unread = self.transport.get_write_buffer_size()
        if unread == 0:
            super().timeout_keep_alive_handler()
        elif unread == self._unread_bytes:
            self.transport.abort()
        else:
            self._unread_bytes = unread
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _be_patient(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self.transport.abort()


def bounded(admission: Admission, most_connections: int, request_seconds: float) -> type[BoundedHttpProtocol]:
    """The protocol of a process with these bounds."""
    bounds = {
        "admission": admission,
        "most_connections": most_connections,
        "request_seconds": request_seconds,
    }
    return type("HttpProtocol", (BoundedHttpProtocol,), bounds)
