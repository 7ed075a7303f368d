"""HTTP/1.1 on uvicorn with bounded connections: their number, and the time each may take.

Uvicorn itself accepts any number of connections, and waits without end for the rest of a request's headers
and for a client that does not read its answer.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any, ClassVar, cast

from transport.overload.backlog import Backlog
from transport.overload.middleware import ANNOUNCED
from transport.protocol.raw import RawHeader, RawRequest, RawResponse

from .fast_path import FastPath, Work
from .pipeline import Pipeline
from .strict_protocol import StrictHttpProtocol

logger = logging.getLogger(__name__)

TOO_MANY_CONNECTIONS = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json; charset=utf-8\r\n"
    b"retry-after: 2\r\nconnection: close\r\ncontent-length: 100\r\n\r\n"
    b'{"errors":[{"message":"Too many connections; try again soon.","extensions":{"code":"OVERLOADED"}}]}\n'
)
MAX_FAST_BODY_BYTES = 16_384
UNREAD_SECONDS = 35.0
"""The time a client may take to acknowledge what it was sent; event streams give up earlier, and count it.

The kernel keeps this clock (Linux only), also for closed connections with unsent data."""
CLOSE = b"connection: close\r\n"

ClientOf = Callable[[str, list[RawHeader]], str]
"""Finds the client's address from the peer's address and the request's headers."""


def peer_address(address: str, _headers: list[RawHeader]) -> str:
    """The client is the peer: no proxy is trusted."""
    return address


class _Exchange:
    """Takes the place of uvicorn's cycle for a request that is answered without one."""

    message_event = asyncio.Event()  # no task waits for it

    def __init__(self, *, response_complete: bool) -> None:
        self.response_complete = response_complete
        self.disconnected = False
        self.keep_alive = True


class BoundedHttpProtocol(StrictHttpProtocol):
    """One connection. Use `bounded_http_protocol` to make the class for a process."""

    stages: ClassVar[Pipeline]
    max_connections: ClassVar[int]
    request_seconds: ClassVar[float]
    """From a request's first byte to its last, and from the connection to its first request."""
    fast_path: ClassVar[FastPath | None]
    backlog: ClassVar[Backlog]
    client_of: ClassVar[ClientOf]

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._deadline: asyncio.TimerHandle | None = None
        self._body: bytes | None = None  # of a request that may take the fast path
        self.held_back = 0  # pieces of data in the backlog

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection, or refuse it where there are too many."""
        _limit_unread(transport)
        if len(self.connections) >= self.max_connections:
            self.transport = transport
            transport.write(TOO_MANY_CONNECTIONS)
            transport.close()
            return
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.request_seconds, self._abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop its clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read data at once, or put it into the backlog while there is no room."""
        if not self.backlog.holds_back(self, data):
            self.read(data)

    def read(self, data: bytes) -> None:
        """Parse data; a request that is not complete then has `request_seconds`."""
        self._read(data)
        if self._is_receiving:
            if self._deadline is None:
                self._deadline = self.loop.call_later(self.request_seconds, self._abort)
        elif self._deadline is not None:
            self._stop_clock()

    def on_head(self) -> None:
        """Admit a request, or refuse it here, where that costs least."""
        path = self.url.partition(b"?")[0].decode("latin-1")
        shedder = self.stages.shedder
        is_alone, is_exempt = self._is_alone(), path in shedder.limits.exempt
        if not is_alone or is_exempt or self.parser.should_upgrade():
            super().on_head()
            return
        if shedder.has_room(path):
            if self._may_be_fast():
                self._body = b""
            else:
                self._admit()
            return
        self._shed(path)

    def _shed(self, path: str) -> None:
        self.cycle = _Exchange(response_complete=True)  # type: ignore[assignment]
        if self.flow.write_paused:
            self.transport.abort()  # the client sends requests and reads no answers
            return
        self.transport.write(self.stages.refuse(path, self.headers).as_bytes)
        if self.parser.should_keep_alive() and not self.stages.shedder.draining:
            self.on_response_complete()
        else:
            self.transport.close()

    def _admit(self) -> None:
        super().on_head()
        self.stages.shedder.announced += 1  # its task starts later, in the overload middleware
        cast("dict[str, Any]", self.scope)[ANNOUNCED] = True

    def on_piece_of_body(self, body: bytes) -> None:
        """Keep it where the request may take the fast path."""
        if self._body is None:
            super().on_piece_of_body(body)
            return
        self._body += body
        if len(self._body) > MAX_FAST_BODY_BYTES:
            self._take_asgi_path()

    def on_end(self) -> None:
        """Answer by the fast path where possible."""
        if self._body is not None:
            answer = self._answer_fast(self._body)
            if answer is not None:
                self._body = None
                if isinstance(answer, RawResponse):
                    self._write(answer)
                    self.on_response_complete()
                else:
                    self._begin(answer)
                return
            self._take_asgi_path()
        super().on_end()

    def _may_be_fast(self) -> bool:
        """Whether the head of the request allows the fast path."""
        return (
            self.fast_path is not None
            and self.url.partition(b"?")[0] == self.fast_path.path.encode()
            and self.parser.get_method() in (b"GET", b"POST", b"QUERY")
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not (self.expect_100_continue or self.flow.write_paused or self.stages.shedder.draining)
        )

    def _answer_fast(self, body: bytes) -> RawResponse | Work | None:
        assert self.fast_path is not None
        method, query_string = self.parser.get_method().decode(), self.url.partition(b"?")[2]
        request = RawRequest(method, query_string, list(self.scope["headers"]), body)
        return self.fast_path.answer(request, self._client_of(request))

    def _client_of(self, request: RawRequest) -> str | None:
        return type(self).client_of(self.client[0], request.headers) if self.client else None

    def _begin(self, work: Work) -> None:
        """Let a task answer; what the client sends meanwhile waits, as behind any request."""
        exchange = _Exchange(response_complete=False)
        self.cycle = exchange  # type: ignore[assignment]
        task = self.loop.create_task(self._finish(work, exchange))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    async def _finish(self, work: Work, exchange: _Exchange) -> None:
        try:
            answer = await work
        except Exception:
            logger.exception("a request could not be answered")
            self.transport.abort()
            return
        finally:
            exchange.response_complete = True
        if not self.transport.is_closing():
            is_last = self.stages.shedder.draining or not exchange.keep_alive
            self._write(answer, CLOSE if is_last else b"")
            if is_last:
                self.transport.close()
        self.on_response_complete()

    def _take_asgi_path(self) -> None:
        """Pass the request on to uvicorn, with the body received so far."""
        body, self._body = self._body, None
        self._admit()
        if body:
            super().on_piece_of_body(body)

    def handle_websocket_upgrade(self) -> None:
        """Stop the clock: the WebSocket has its own."""
        self._stop_clock()
        super().handle_websocket_upgrade()

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _abort(self) -> None:
        self.transport.abort()


def _limit_unread(transport: asyncio.Transport) -> None:
    """Let the kernel reset the connection of a client that acknowledges no byte for so long."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNREAD_SECONDS * 1_000))


def bounded_http_protocol(
    pipeline: Pipeline,
    max_connections: int,
    request_seconds: float,
    fast_path: FastPath | None = None,
    client_of: ClientOf = peer_address,
) -> type[BoundedHttpProtocol]:
    """Make the protocol class of a process with these bounds."""
    bounds = {
        "stages": pipeline,
        "max_connections": max_connections,
        "request_seconds": request_seconds,
        "fast_path": fast_path,
        "backlog": Backlog(pipeline.shedder),
        "client_of": staticmethod(client_of),
    }
    return type("HttpProtocol", (BoundedHttpProtocol,), bounds)
