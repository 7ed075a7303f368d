"""The observation of requests: their ids, traces and counts, whichever entrance they came through."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol

import orjson

from transport.protocol.asgi import App, Message, Receive, Scope, Send, send_error
from transport.protocol.raw import ErrorResponse, RawHeader

logger = logging.getLogger(__name__)


class Observation(Protocol):
    """One request, from its arrival; entered around all work for it."""

    @property
    def headers(self) -> tuple[RawHeader, ...]:
        """Headers by which its client can find it in the logs"""

    def __enter__(self) -> object:
        """Bind the request's id for what is logged, and begin its span."""

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End its span."""

    def bind(self) -> None:
        """Only bind its id: for a socket, which has no response."""

    def answered(self, status: int) -> None:
        """Count the response, which begins now."""

    def answered_at_once(self, status: int) -> None:
        """Count and trace a response that needed no further work; nothing is entered."""


class Observer(Protocol):
    """Begins observations."""

    def observe(self, method: str, path: str, headers: Sequence[RawHeader]) -> Observation:
        """Begin to observe a request; header names are in lower case."""


class NoObservation:
    """Observes nothing."""

    headers: tuple[RawHeader, ...] = ()

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, *_: object) -> None:
        """Do nothing."""

    def bind(self) -> None:
        """Do nothing."""

    def answered(self, status: int) -> None:
        """Do nothing."""

    def answered_at_once(self, status: int) -> None:
        """Do nothing."""


class NoObserver:
    """Observes no request."""

    def observe(self, method: str, path: str, headers: Sequence[RawHeader]) -> NoObservation:
        """Return what observes nothing."""
        return NoObservation()


class ObservationMiddleware:
    """Observes an ASGI application; a fault without a response is masked."""

    def __init__(self, app: App, observer: Observer) -> None:
        self._app = app
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Observe one request or socket."""
        if scope["type"] == "http":
            observation = self._observer.observe(scope["method"], scope["path"], scope["headers"])
            with observation:
                await self._answer(scope, receive, _Sender(observation, send))
            return
        if scope["type"] == "websocket":
            self._observer.observe("GET", scope["path"], scope["headers"]).bind()
        await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, sender: _Sender) -> None:
        try:
            await self._app(scope, receive, sender)
        except Exception as fault:
            response = fault_response(fault)
            if sender.has_started:
                raise
            await send_error(sender, response)


class _Sender:
    """The sending half of one request."""

    __slots__ = ("_observation", "_send", "has_started")

    def __init__(self, observation: Observation, send: Send) -> None:
        self._observation = observation
        self._send = send
        self.has_started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_started = True
            message["headers"] = [*message.get("headers", ()), *self._observation.headers]
            self._observation.answered(message["status"])
        await self._send(message)


def fault_response(fault: Exception) -> ErrorResponse:
    """Log a fault that no handler answered, and name it by an id."""
    error_id = secrets.token_hex(8)
    logger.error("unhandled fault %s", error_id, exc_info=fault, extra={"error_id": error_id})
    error = {"message": f"Internal error {error_id}", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
    body = orjson.dumps({"errors": [error]})
    headers = (
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-length", b"%d" % len(body)),
        (b"content-type", b"application/json"),
    )
    return ErrorResponse(500, headers, body)
