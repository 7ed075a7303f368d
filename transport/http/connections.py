"""HTTP/1.1 on uvicorn with every connection bounded: how many, and how long each may dawdle.

Uvicorn itself accepts as many as come, waits for ever for the end of a request's headers, and for
ever for a client that does not read its answer.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any, ClassVar, cast

from transport.overload.backlog import Backlog
from transport.overload.load_shedder import LoadShedder
from transport.overload.middleware import ANNOUNCED, overload_response

from .fast_path import FastPath, Work
from .raw import RawRequest, RawResponse
from .strict_protocol import StrictHttpProtocol

logger = logging.getLogger(__name__)

FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json; charset=utf-8\r\n"
    b"retry-after: 2\r\nconnection: close\r\ncontent-length: 100\r\n\r\n"
    b'{"errors":[{"message":"Too many connections; try again soon.","extensions":{"code":"OVERLOADED"}}]}\n'
)
MOST_DIRECT_BYTES = 16_384
UNREAD_SECONDS = 35.0
"""So long a client may take nothing of what it was sent; event streams give up first, and count it.

The kernel keeps this clock (Linux only), also for what a connection that is closed has still to say."""
CLOSE = b"connection: close\r\n"

ClientOf = Callable[[str, list[tuple[bytes, bytes]]], str]
"""Who asks, by the address that the connection comes from and the request's headers"""


def directly(address: str, _headers: list[tuple[bytes, bytes]]) -> str:
    """Nobody speaks for others."""
    return address


class _Stand:
    """Stands for uvicorn's cycle of a request that is answered without one."""

    message_event = asyncio.Event()  # nobody waits for it

    def __init__(self, *, response_complete: bool) -> None:
        self.response_complete = response_complete
        self.disconnected = False
        self.keep_alive = True


class BoundedHttpProtocol(StrictHttpProtocol):
    """One connection. Use `bounded` to make the class for a process."""

    admission: ClassVar[LoadShedder]
    most_connections: ClassVar[int]
    request_seconds: ClassVar[float]
    """From a request's first byte to its last, and from the connection to its first request."""
    direct: ClassVar[FastPath | None]
    direct_path: ClassVar[bytes]
    """Requests for this path are answered directly where they can be."""
    backlog: ClassVar[Backlog]
    client_of: ClassVar[ClientOf]

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._patience: asyncio.TimerHandle | None = None
        self._body: bytes | None = None  # of a request that may be answered directly
        self.held_back = 0  # pieces of data that wait for their turn

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it on, or say that there is no room and hang up."""
        _expect_reading(transport)
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
        """Take in what has come: at once, or in its turn while more comes than can be answered."""
        if not self.backlog.holds_back(self, data):
            self.read(data)

    def read(self, data: bytes) -> None:
        """Read on; a request that is not whole by now has so many seconds."""
        self._read(data)
        if self._is_receiving:
            if self._patience is None:
                self._patience = self.loop.call_later(self.request_seconds, self._give_up)
        elif self._patience is not None:
            self._be_patient()

    def on_head(self) -> None:
        """Turn a request away here, where that costs least, or let it become one."""
        path = self.url.partition(b"?")[0].decode("latin-1")
        is_alone, is_exempt = self._is_alone(), path in self.admission.limits.exempt
        if not is_alone or is_exempt or self.parser.should_upgrade():
            super().on_head()
            return
        if self.admission.has_room(path):
            if self._may_be_direct():
                self._body = b""
            else:
                self._let_in()
            return
        self.cycle = _Stand(response_complete=True)  # type: ignore[assignment]
        if self.flow.write_paused:
            self.transport.abort()  # it asks and asks, and reads nothing
            return
        self.transport.write(overload_response(self.admission, self.headers).as_bytes)
        if self.parser.should_keep_alive() and not self.admission.draining:
            self.on_response_complete()
        else:
            self.transport.close()

    def _let_in(self) -> None:
        super().on_head()
        self.admission.announced += 1  # its task begins later, in the gate
        cast("dict[str, Any]", self.scope)[ANNOUNCED] = True

    def on_piece_of_body(self, body: bytes) -> None:
        """Keep it where the request may be answered directly."""
        if self._body is None:
            super().on_piece_of_body(body)
            return
        self._body += body
        if len(self._body) > MOST_DIRECT_BYTES:
            self._go_long()

    def on_end(self) -> None:
        """Answer directly what can be answered so."""
        if self._body is not None:
            answer = self._answer_directly(self._body)
            if answer is not None:
                self._body = None
                if isinstance(answer, RawResponse):
                    self._write(answer)
                    self.on_response_complete()
                else:
                    self._begin(answer)
                return
            self._go_long()
        super().on_end()

    def _may_be_direct(self) -> bool:
        """Whether nothing but the answer itself can stand in the way of answering directly."""
        return (
            self.direct is not None
            and self.url.partition(b"?")[0] == self.direct_path
            and self.parser.get_method() in (b"GET", b"POST")
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not (self.expect_100_continue or self.flow.write_paused or self.admission.draining)
        )

    def _answer_directly(self, body: bytes) -> RawResponse | Work | None:
        assert self.direct is not None
        method, query_string = self.parser.get_method().decode(), self.url.partition(b"?")[2]
        request = RawRequest(method, query_string, list(self.scope["headers"]), body)
        return self.direct.answer(request, self._client_of(request))

    def _client_of(self, request: RawRequest) -> str | None:
        return type(self).client_of(self.client[0], request.headers) if self.client else None

    def _begin(self, work: Work) -> None:
        """Let a task answer; what the client sends meanwhile waits, as it does behind any request."""
        stand = _Stand(response_complete=False)
        self.cycle = stand  # type: ignore[assignment]
        task = self.loop.create_task(self._finish(work, stand))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    async def _finish(self, work: Work, stand: _Stand) -> None:
        try:
            answer = await work
        except Exception:
            logger.exception("a request could not be answered")
            self.transport.abort()
            return
        finally:
            stand.response_complete = True
        if not self.transport.is_closing():
            is_last = self.admission.draining or not stand.keep_alive
            self._write(answer, CLOSE if is_last else b"")
            if is_last:
                self.transport.close()
        self.on_response_complete()

    def _go_long(self) -> None:
        """Let it become a request like any other, with what has come of its body."""
        body, self._body = self._body, None
        self._let_in()
        if body:
            super().on_piece_of_body(body)

    def handle_websocket_upgrade(self) -> None:
        """From here on the WebSocket's own clocks count."""
        self._be_patient()
        super().handle_websocket_upgrade()

    def _be_patient(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self.transport.abort()


def _expect_reading(transport: asyncio.Transport) -> None:
    """Reset the connection of a client that takes no byte of what waits for it, or that is gone."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNREAD_SECONDS * 1_000))


def bounded(
    admission: LoadShedder,
    most_connections: int,
    request_seconds: float,
    direct: FastPath | None = None,
    direct_path: str = "",
    client_of: ClientOf = directly,
) -> type[BoundedHttpProtocol]:
    """The protocol of a process with these bounds; what `direct` can, it does, to whom `client_of` says."""
    bounds = {
        "admission": admission,
        "most_connections": most_connections,
        "request_seconds": request_seconds,
        "direct": direct,
        "direct_path": direct_path.encode(),
        "backlog": Backlog(admission),
        "client_of": staticmethod(client_of),
    }
    return type("HttpProtocol", (BoundedHttpProtocol,), bounds)
