"""The gate in front of everything, as ASGI middleware: let in, or told to come again, unread.

Turning away costs no parsing, no connection of a pool and no memory that lasts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import cycle
from typing import Protocol, TypeVar

import orjson

from transport.protocol.asgi import Message, Receive, Scope, Send
from transport.protocol.errors import Overloaded
from transport.protocol.negotiation import EVENT_STREAM, JSON, accepted

from .load_shedder import LoadShedder, Slot

T = TypeVar("T")
App = Callable[[Scope, Receive, Send], Awaitable[None]]
RETRY_AFTER_SECONDS = cycle((1, 2, 3))
"""Told in turn, so that those who were turned away together do not come back together."""
TRY_AGAIN_LATER = 1013
SERVICE_RESTART = 1012
ANNOUNCED = "boxoffice.announced"
"""In the scope of a request that the connection has let in and counted already."""
DAWDLING_SECONDS = 0.1
CONNECTION_CLOSE = (b"connection", b"close")


class Request(Protocol):
    """A request that was let in, as those who work for it know it."""

    def let_go(self) -> None:
        """It has become a stream: no deadline, and it is not in hand."""


Enter = Callable[[Callable[[int], None]], AbstractContextManager[Request]]
"""Begins a request; is given what to tell -1 and 1 around each wait for somebody outside."""


class OverloadMiddleware:
    """Stands before an application."""

    def __init__(self, app: App, admission: LoadShedder, enter: Enter) -> None:
        self._app = app
        self._admission = admission
        self._enter = enter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request or socket in, or turn it away."""
        admission, kind = self._admission, scope["type"]
        was_announced = scope.pop(ANNOUNCED, False)
        if was_announced:
            # Whatever path it names: the connection and the scope may spell it differently.
            admission.announced -= 1
        if kind == "lifespan" or scope["path"] in admission.limits.exempt:
            await self._app(scope, receive, send)
        elif kind == "websocket":
            await self._open(scope, receive, send)
        elif (was_announced or admission.has_room(scope["path"])) and await admission.acquire(scope["path"]):
            await self._serve(scope, receive, send)
        else:
            await self._turn_away(scope, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        admission = self._admission
        slot = Slot(admission)
        client = _Client(slot)

        async def read() -> Message:
            return await client.wait_for(receive())

        async def forward(message: Message) -> None:
            if message["type"] == "http.response.start":
                if admission.draining:
                    message["headers"] = [*message.get("headers", ()), CONNECTION_CLOSE]
                if _is_stream(message):
                    request.let_go()
                    slot.release()
            await client.wait_for(send(message))

        try:
            with self._enter(slot.change) as request:
                await self._app(scope, read, forward)
        finally:
            slot.release()

    async def _open(self, scope: Scope, receive: Receive, send: Send) -> None:
        admission = self._admission
        if not admission.is_busy():
            await self._app(scope, receive, send)
            return
        admission.meters.refused(Overloaded.code)
        await receive()
        offered = scope.get("subprotocols", ())
        await send({"type": "websocket.accept", "subprotocol": next(iter(offered), None)})
        code = SERVICE_RESTART if admission.draining else TRY_AGAIN_LATER
        await send({"type": "websocket.close", "code": code, "reason": "Try again in a moment"})

    async def _turn_away(self, scope: Scope, send: Send) -> None:
        answer = overload_response(self._admission, scope["headers"])
        headers = list(answer.headers)
        await send({"type": "http.response.start", "status": Overloaded.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})


class Door:
    """The same gate for requests that are no ASGI; their bytes have all come."""

    def __init__(self, admission: LoadShedder, enter: Enter, path: str) -> None:
        self._admission = admission
        self._enter = enter
        self._path = path

    def announce(self) -> None:
        """Count a request that `has_room` let in and whose task has still to start."""
        self._admission.announced += 1

    async def through(self, work: Callable[[], Awaitable[T]]) -> T | None:
        """Do an announced request's work when it is its turn; None where waiting came to nothing."""
        admission = self._admission
        admission.announced -= 1
        if not await admission.acquire(self._path):
            return None
        slot = Slot(admission)
        try:
            with self._enter(slot.change):
                return await work()
        finally:
            slot.release()

    def refusal(self, headers: Sequence[tuple[bytes, bytes]]) -> Refusal:
        """What to answer a request for which there is no room; counted."""
        return overload_response(self._admission, headers)


class _Client:
    """Waits for its bytes, or for it to take ours; while it dawdles it takes nobody's slot."""

    __slots__ = ("_away", "_place")

    def __init__(self, slot: Slot) -> None:
        self._place = slot
        self._away = 0

    async def wait_for(self, exchange: Awaitable[T]) -> T:
        waiting = [False]
        timer = asyncio.get_running_loop().call_later(DAWDLING_SECONDS, self._step_out, waiting)
        try:
            return await exchange
        finally:
            timer.cancel()
            if waiting[0]:
                self._away -= 1
                if self._away == 0:
                    self._place.change(1)

    def _step_out(self, waiting: list[bool]) -> None:
        waiting[0] = True
        self._away += 1
        if self._away == 1:
            self._place.change(-1)


@dataclass(frozen=True)
class Refusal:
    """An answer of 503, ready to be sent."""

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @cached_property
    def as_bytes(self) -> bytes:
        """The whole response, as HTTP/1.1 carries it."""
        lines = [b"HTTP/1.1 503 Service Unavailable", *(b": ".join(header) for header in self.headers)]
        return b"\r\n".join([*lines, b"", self.body])


def overload_response(admission: LoadShedder, headers: Sequence[tuple[bytes, bytes]]) -> Refusal:
    """What to answer a request for which there is no room; counted."""
    admission.note_refusal()
    accept = b""
    for name, value in headers:
        if name == b"accept":
            accept = value
            break
    return refusal(accept, next(RETRY_AFTER_SECONDS), admission.draining)


@lru_cache(maxsize=1_024)
def refusal(accept: bytes, retry_after_seconds: int, is_last: bool) -> Refusal:
    """A 503 in the media type that the client asked for; the last of a connection says so."""
    message = Overloaded().message
    if b"text/html" in accept:
        kind, body = "text/plain", message.encode()
    else:
        kind = accepted(accept.decode("latin-1")).media_type or JSON
        error = {"message": message, "extensions": {"code": Overloaded.code}}
        body = orjson.dumps({"errors": [error]})
    headers = (
        (b"content-type", f"{kind}; charset=utf-8".encode()),
        (b"content-length", b"%d" % len(body)),
        (b"retry-after", b"%d" % retry_after_seconds),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *((CONNECTION_CLOSE,) if is_last else ()),
    )
    return Refusal(headers, body)


def _is_stream(message: Message) -> bool:
    return any(
        name == b"content-type" and value.startswith(EVENT_STREAM.encode())
        for name, value in message.get("headers", ())
    )
