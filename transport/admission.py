"""The gate in front of everything: what could not be answered in time is turned away unread.

A process has so many requests in hand at once; what comes beyond that, or while its event loop runs
late, is told to come again. Turning away costs no parsing, no connection of a pool and no memory that
lasts, so those who were let in are answered in time whatever the crowd outside does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle
from time import monotonic
from typing import Protocol

import orjson

from .asgi import Message, Receive, Scope, Send
from .errors import Overloaded
from .loop_lag import LoopLag
from .negotiation import JSON, accepted
from .ports import Meters, NoMeters

App = Callable[[Scope, Receive, Send], Awaitable[None]]
RETRY_AFTER_SECONDS = (1, 2, 3)
"""Told in turn, so that those who were turned away together do not come back together."""
TRY_AGAIN_LATER = 1013
SERVICE_RESTART = 1012
BUSY_SECONDS = 1.0
CONNECTION_CLOSE = (b"connection", b"close")


class Request(Protocol):
    """A request that was let in, as those who work for it know it."""

    def let_go(self) -> None:
        """It has become a stream: no deadline, and it is not in hand."""


Enter = Callable[[Callable[[int], None]], AbstractContextManager[Request]]
"""Begins a request; is given what to tell -1 and 1 around each wait for somebody outside."""


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What one process takes on."""

    in_flight: int = 64
    """Requests in hand at once; open streams do not count, nor who waits for an outside service."""
    elsewhere: int = 1_000
    """Requests that wait for an outside service at once."""
    spare: int = 64
    """So many more for the paths that come first: they tell of money that was paid."""
    late_seconds: float = 0.25
    """Event loop later than this, lately and all the time: nothing more is taken on."""
    least_in_flight: int = 8
    """Taken on however late the loop runs: something has to move."""
    exempt: frozenset[str] = frozenset()
    """Paths that are always answered: health and metrics."""
    first: frozenset[str] = frozenset()
    """Paths that may use the spare."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of 503, ready to be sent."""

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def as_bytes(self) -> bytes:
        """The whole response, as HTTP/1.1 carries it."""
        lines = [b"HTTP/1.1 503 Service Unavailable", *(b": ".join(header) for header in self.headers)]
        return b"\r\n".join([*lines, b"", self.body])


class Admission:
    """What a process has in hand, and whether there is room for more."""

    def __init__(self, limits: GateLimits, meters: Meters | None = None) -> None:
        self.limits = limits
        self.meters = meters or NoMeters()
        self.lag = LoopLag()
        self.in_flight = 0
        self.elsewhere = 0
        self.draining = False
        self._turned_away_at = float("-inf")
        self._retry_after = cycle(RETRY_AFTER_SECONDS)

    def is_full(self) -> bool:
        """Whether the next request has to be turned away."""
        if self.in_flight >= self.limits.in_flight or self.elsewhere >= self.limits.elsewhere:
            return True
        is_late = self.lag.standing_seconds > self.limits.late_seconds
        return is_late and self.in_flight >= self.limits.least_in_flight

    def is_packed(self) -> bool:
        """Whether even those who come first have to be turned away."""
        return self.in_flight >= self.limits.in_flight + self.limits.spare

    def is_busy(self) -> bool:
        """Whether somebody was turned away within the last second: no time to begin a long stay."""
        return self.draining or self.is_full() or monotonic() - self._turned_away_at < BUSY_SECONDS

    def has_room(self, path: str) -> bool:
        """Whether a request for this path is let in."""
        if path in self.limits.exempt:
            return True
        return not (self.is_packed() if path in self.limits.first else self.is_full())

    def turned_away(self, accept: bytes) -> Refusal:
        """What to answer a request for which there is no room; counted."""
        self._turned_away_at = monotonic()
        self.meters.refused(Overloaded.code)
        return refusal(accept, next(self._retry_after), self.draining)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Room for one operation that came over a stream. Raises: Overloaded."""
        if self.is_full():
            raise Overloaded
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1


class _Held:
    """One request's share of what is in hand."""

    __slots__ = ("_admission", "_elsewhere")

    def __init__(self, admission: Admission) -> None:
        self._admission: Admission | None = admission
        self._elsewhere = 0
        admission.in_flight += 1

    def change(self, by: int) -> None:
        """It goes to wait elsewhere (-1), or comes back (1)."""
        if self._admission is not None:
            self._admission.in_flight += by
            self._admission.elsewhere -= by
            self._elsewhere -= by

    def give_back(self) -> None:
        """It is over, wherever it was."""
        if self._admission is not None:
            self._admission.in_flight -= 1 - self._elsewhere
            self._admission.elsewhere -= self._elsewhere
            self._admission = None


class AdmissionGate:
    """The gate as ASGI middleware."""

    def __init__(
        self,
        app: App,
        admission: Admission,
        enter: Enter,
    ) -> None:
        self._app = app
        self._admission = admission
        self._enter = enter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request or socket in, or turn it away."""
        kind = scope["type"]
        if kind == "lifespan" or scope["path"] in self._admission.limits.exempt:
            await self._app(scope, receive, send)
        elif kind == "websocket":
            await self._open(scope, receive, send)
        elif self._admission.has_room(scope["path"]):
            await self._serve(scope, receive, send)
        else:
            await self._turn_away(scope, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        admission = self._admission
        held = _Held(admission)

        async def forward(message: Message) -> None:
            if message["type"] == "http.response.start":
                if admission.draining:
                    message["headers"] = [*message.get("headers", ()), CONNECTION_CLOSE]
                if _is_stream(message):
                    request.let_go()
                    held.give_back()
            await send(message)

        async def read() -> Message:
            held.change(-1)  # a client that dawdles with its body takes nobody's place
            try:
                return await receive()
            finally:
                held.change(1)

        with self._enter(held.change) as request:
            try:
                await self._app(scope, read, forward)
            finally:
                request.let_go()
                held.give_back()

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
        answer = self._admission.turned_away(accept_of(scope["headers"]))
        headers = list(answer.headers)
        await send({"type": "http.response.start", "status": Overloaded.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})


def accept_of(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """What the client takes, by its Accept header."""
    return next((value for name, value in headers if name == b"accept"), b"")


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
        name == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in message.get("headers", ())
    )
