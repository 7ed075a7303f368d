"""Around every request: its id, its trace, and a count of how it was answered."""

import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from endpoints.answers import refusal
from kit.log_context import bind, request_id_of
from kit.spans import Tracer, step, traceparent_of, within
from telemetry.server_meters import RequestMeters
from transport.documents.operation import Operation
from transport.protocol.payload import Payload

log = logging.getLogger("boxoffice.requests")

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_ROUTES = {
    "graphql": "graphql",
    "webhooks": "webhooks",
    "seatmaps": "seatmaps",
    "healthz": "health",
    "readyz": "health",
    "metrics": "health",
}
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
_SLOW_SECONDS = 2.0
# Under overload everything is slow: one line a second says so as well as a thousand.
_QUIET_SECONDS = 1.0


class RequestWatch:
    """Counts answers, and tells of slow ones in the log."""

    def __init__(self, meters: RequestMeters) -> None:
        self.meters = meters
        self._slow_told_at = float("-inf")

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answer that begins, and tell of it in the log where it was slow."""
        self.meters.answered(route, method, status, seconds)
        if seconds < _SLOW_SECONDS:
            return
        now = time.monotonic()
        if now >= self._slow_told_at + _QUIET_SECONDS:
            self._slow_told_at = now
            log.warning(
                "slow request", extra={"route": route, "status": status, "seconds": round(seconds, 3)}
            )


class DirectWatch:
    """Looks on where requests are answered without ASGI, as `Observed` does where they are not."""

    def __init__(self, watch: RequestWatch) -> None:
        self._watch = watch

    def answered(self, method: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._watch.answered("graphql", method, status, seconds)

    @contextmanager
    def working(self) -> Iterator[tuple[tuple[bytes, bytes], ...]]:
        """Bind the request's id for what it logs; its client is told it."""
        request_id = request_id_of(None)
        bind(request_id=request_id)
        self._watch.meters.in_flight += 1
        try:
            yield ((b"x-request-id", request_id.encode()),)
        finally:
            self._watch.meters.in_flight -= 1


class Observed:
    """An ASGI application, watched."""

    def __init__(self, app: App, watch: RequestWatch, tracer: Tracer) -> None:
        self._app = app
        self._watch = watch
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Bind the request's id for what it logs, tell it to the client, count the answer."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given, trace = _headers(scope)
        request_id = request_id_of(given)
        # Never unbound: a server runs each request in a task of its own, and may log after we return.
        bind(request_id=request_id)
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        answering = _Answering(self._watch, scope, send, request_id)
        facts = {"http.request.method": answering.method, "http.route": answering.route}
        span = self._tracer.begin(
            f"{answering.method} {answering.route}",
            traceparent=traceparent_of(trace),
            serving=True,
            facts=facts,
        )
        self._watch.meters.in_flight += 1
        try:
            with within(span):
                await self._answer(scope, receive, answering)
                if span is not None:
                    span.note("http.response.status_code", answering.status)
        finally:
            self._watch.meters.in_flight -= 1

    async def _answer(self, scope: Scope, receive: Receive, answering: "_Answering") -> None:
        """Let the application answer; a fault that it has no answer for is masked, and named for the log."""
        try:
            await self._app(scope, receive, answering)
        except Exception:
            error_id = secrets.token_hex(8)
            log.exception("unhandled fault %s", error_id, extra={"error_id": error_id})
            if answering.status:
                raise
            masked = refusal(500, "INTERNAL_SERVER_ERROR", f"Internal error {error_id}")
            await masked(scope, receive, answering)


class _Answering:
    """The sending half of one request."""

    __slots__ = ("_began", "_request_id", "_send", "_watch", "method", "route", "status")

    def __init__(self, watch: RequestWatch, scope: Scope, send: Send, request_id: str) -> None:
        self._watch = watch
        self._send = send
        self._request_id = request_id
        self._began = time.perf_counter()
        self.route = _ROUTES.get(scope["path"].removeprefix("/").partition("/")[0], "pages")
        self.method = scope["method"] if scope["method"] in _METHODS else "other"
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self._request_id.encode())]
            seconds = time.perf_counter() - self._began
            self._watch.answered(self.route, self.method, self.status, seconds)
        await self._send(message)


def _headers(scope: Scope) -> tuple[str | None, str | None]:
    """The caller's request id and traceparent."""
    request_id = trace = None
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            request_id = value.decode("latin-1")
        elif name == b"traceparent":
            trace = value.decode("latin-1")
    return request_id, trace


def operation_count(meters: RequestMeters) -> Callable[[Operation, Payload, float], None]:
    """What times and counts each query that was executed without a wait for its turn."""

    def count(operation: Operation, payload: Payload, seconds: float) -> None:
        field = operation.root_fields[0] if operation.root_fields else ""
        meters.operation(operation.kind, field, "failed" if payload.failed else "ok", seconds)

    return count


def operation_watch(meters: RequestMeters) -> Callable[[Operation, Awaitable[Payload]], Awaitable[Payload]]:
    """What times, counts and traces each query and mutation that the transport executes."""

    async def watch(operation: Operation, work: Awaitable[Payload]) -> Payload:
        began, outcome = time.perf_counter(), "failed"
        field = operation.root_fields[0] if operation.root_fields else ""
        try:
            with step(f"{operation.kind} {field}"):
                payload = await work
            outcome = "failed" if payload.failed else "ok"
            return payload
        finally:
            meters.operation(operation.kind, field, outcome, time.perf_counter() - began)

    return watch
