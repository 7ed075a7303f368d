"""The observation of every request: its id, its trace, and a count of its response."""

import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType

from kit.log_context import bind, request_id_of
from kit.spans import Span, Tracer, step, traceparent_of, within
from telemetry.server_meters import RequestMeters
from transport import Operation, Payload

log = logging.getLogger("boxoffice.requests")

Headers = Sequence[tuple[bytes, bytes]]

_ROUTES = {
    "graphql": "graphql",
    "webhooks": "webhooks",
    "seatmaps": "seatmaps",
    "healthz": "health",
    "readyz": "health",
    "metrics": "health",
}
_SEAT_STATUSES = re.compile(r"/events/[^/]+/seats(/|$)")
_METHODS = frozenset({"GET", "HEAD", "POST", "QUERY", "PUT", "DELETE", "OPTIONS"})
_SLOW_SECONDS = 2.0
# Under overload everything is slow: one line a second says so as well as a thousand.
_QUIET_SECONDS = 1.0


class RequestObserver:
    """Observes the requests of a process, whichever entrance of the pipeline they came through."""

    def __init__(self, meters: RequestMeters, tracer: Tracer) -> None:
        self.meters = meters
        self.tracer = tracer
        self._logged_slow_at = float("-inf")

    def observe(self, method: str, path: str, headers: Headers) -> "RequestObservation":
        """Begin to observe a request."""
        return RequestObservation(self, method, path, headers)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a response that begins, and log it where it was slow."""
        self.meters.answered(route, method, status, seconds)
        if seconds < _SLOW_SECONDS:
            return
        now = time.monotonic()
        if now >= self._logged_slow_at + _QUIET_SECONDS:
            self._logged_slow_at = now
            log.warning(
                "slow request", extra={"route": route, "status": status, "seconds": round(seconds, 3)}
            )


def _route_of(path: str) -> str:
    if _SEAT_STATUSES.match(path):
        return "seatmaps"
    return _ROUTES.get(path.removeprefix("/").partition("/")[0], "pages")


class RequestObservation:
    """One request; see `transport.Observation`."""

    __slots__ = (
        "_began",
        "_observer",
        "_span",
        "_traceparent",
        "_within",
        "method",
        "request_id",
        "route",
        "status",
    )

    def __init__(self, observer: RequestObserver, method: str, path: str, headers: Headers) -> None:
        self._observer = observer
        self._began = time.perf_counter()
        given, self._traceparent = _correlation(headers)
        self.request_id = request_id_of(given)
        self.route = _route_of(path)
        self.method = method if method in _METHODS else "other"
        self.status = 0
        self._span: Span | None = None
        self._within: within | None = None

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The request's id, for its client."""
        return ((b"x-request-id", self.request_id.encode()),)

    def bind(self) -> None:
        """Bind the request's id for the rest of this task.

        Never unbound: a server runs each request in a task of its own, and may log after it.
        """
        bind(request_id=self.request_id)

    def __enter__(self) -> None:
        """Bind the request's id, and begin its span."""
        self.bind()
        self._observer.meters.in_flight += 1
        self._within = self._begin_span()
        self._span = self._within.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the span."""
        self._observer.meters.in_flight -= 1
        if self._within is not None:
            self._within.__exit__(kind, fault, trace)

    def answered(self, status: int) -> None:
        """Count the response, which begins now."""
        self.status = status
        if self._span is not None:
            self._span.note("http.response.status_code", status)
        seconds = time.perf_counter() - self._began
        self._observer.answered(self.route, self.method, status, seconds)

    def answered_at_once(self, status: int) -> None:
        """Count and trace a response that needed no further work."""
        with self._begin_span() as span:
            if span is not None:
                span.note("http.response.status_code", status)
        self.answered(status)

    def _begin_span(self) -> within:
        facts = {"http.request.method": self.method, "http.route": self.route}
        return within(
            self._observer.tracer.begin(
                f"{self.method} {self.route}",
                traceparent=traceparent_of(self._traceparent),
                serving=True,
                facts=facts,
            )
        )


def _correlation(headers: Headers) -> tuple[str | None, str | None]:
    """The caller's request id and traceparent."""
    request_id = traceparent = None
    for name, value in headers:
        if name == b"x-request-id":
            request_id = value.decode("latin-1")
        elif name == b"traceparent":
            traceparent = value.decode("latin-1")
    return request_id, traceparent


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
