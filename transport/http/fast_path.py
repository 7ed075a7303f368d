"""The fast path: whole requests are answered without ASGI's messages and middleware.

A request whose document, caller and answer are known is answered within the callback in which the connection
received it. Every other plain request is answered by one task of the connection, which passes the stages of
the pipeline as an ASGI request does. What is no plain request for one answer (a stream, a preflight, a large
body) takes the ASGI path.
"""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Hashable, Iterable
from functools import partial
from inspect import iscoroutine
from typing import Any, NamedTuple, TypeAlias

from kit.cache import Cache
from transport.execution.engine import Call
from transport.overload.load_shedder import Slot
from transport.overload.refusals import overload_response
from transport.protocol.asgi import check_json_body
from transport.protocol.errors import GraphQLHTTPError
from transport.protocol.ports import ConnectionInfo
from transport.protocol.raw import ErrorResponse, RawHeader, RawRequest, RawResponse, added_to, lines_of
from transport.responses.answers import Answer
from transport.responses.heads import COST_HEADER, Head, ResponsePreferences, head_of, preferences_of
from transport.sse.handler import TOKEN_HEADER

from .handler import HttpHandler
from .observation import Observation, fault_response
from .pipeline import Pipeline

logger = logging.getLogger(__name__)

MAX_PREFERENCES = 512
MAX_WRITTEN = 8
MAX_DECIDING_BYTES = 1_024
DECIDING = frozenset(
    name.encode()
    for name in (
        "accept",
        "accept-encoding",
        "content-type",
        "content-encoding",
        "if-none-match",
        TOKEN_HEADER,
        COST_HEADER,
    )
)
"""The headers that decide how a request is answered, besides its caller."""

Work: TypeAlias = Coroutine[Any, Any, RawResponse]
"""The work of one task for a request"""


class _Request(NamedTuple):
    """A request that takes the fast path."""

    raw: RawRequest
    preferences: ResponsePreferences
    info: ConnectionInfo
    call: Call | None
    """Where its document is known"""

    @property
    def parameters(self) -> bytes:
        """The query string of a GET, the body of a POST or QUERY."""
        return self.raw.query_string if self.preferences.method == "GET" else self.raw.body


class FastPath:
    """Answers whole requests with the very bytes of the ASGI path."""

    def __init__(self, handler: HttpHandler, pipeline: Pipeline, path: str) -> None:
        self.path = path
        self._handler = handler
        self._pipeline = pipeline
        self._common = lines_of(pipeline.headers)
        self._known: Cache[Hashable, tuple[ResponsePreferences | None]] = Cache(max_entries=MAX_PREFERENCES)

    def answer(self, raw: RawRequest, client: str | None) -> RawResponse | Work | None:
        """Answer, or return the work for one task; None where the ASGI path has to be taken."""
        try:
            preferences = self._preferences(raw)
        except GraphQLHTTPError:
            preferences = None  # the ASGI path refuses it
        if preferences is None:
            return None
        observation = self._pipeline.observer.observe(raw.method, self.path, raw.headers)
        parameters = raw.query_string if preferences.method == "GET" else raw.body
        call = self._handler.call_at_hand(preferences, parameters)
        request = _Request(raw, preferences, ConnectionInfo(as_mapping(raw.headers), client), call)
        cached = self._cached(request)
        if cached is not None:
            observation.answered_at_once(cached.status)
            return cached._replace(own_lines=self._own_lines(request, observation))
        self._pipeline.shedder.announced += 1
        return self._work(request, observation)

    def _cached(self, request: _Request) -> RawResponse | None:
        """The response that needs nothing but the cache; any fault is left to the task, which reports it."""
        if request.call is None or not request.call.operation.policy.shareable:
            return None
        try:
            context = self._handler.context_factory(request.info)
            if iscoroutine(context):
                context.close()
                return None
            answer = self._handler.answering.cached(request.call, context, request.info)
            return None if answer is None else self._written(request.preferences, request.call, answer)
        except Exception:
            logger.debug("The response cache could not be asked", exc_info=True)
            return None

    async def _work(self, request: _Request, observation: Observation) -> RawResponse:
        """Answer in a slot, as the middleware of the ASGI path does."""
        shedder = self._pipeline.shedder
        shedder.announced -= 1
        with observation:
            try:
                work = partial(self._respond, request)
                response = await shedder.run(self.path, self._pipeline.enter, work)
            except Exception as fault:
                response = self._error(fault_response(fault))
            if response is None:
                response = self._error(overload_response(shedder, request.raw.headers))
            observation.answered(response.status)
        return response._replace(own_lines=self._own_lines(request, observation))

    def _own_lines(self, request: _Request, observation: Observation) -> bytes:
        """The headers of this response alone: its id, and what a page of another origin may do with it."""
        granted = self._pipeline.cross_origin.headers(request.info.headers.get("origin"))
        return lines_of((*observation.headers, *granted))

    async def _respond(self, request: _Request, _: Slot) -> RawResponse:
        head, answer = await self._handler.respond(
            request.preferences, request.info, request.parameters, request.call
        )
        return self._response(head, await answer.body(head.encoding) if head.has_body else b"")

    def _preferences(self, request: RawRequest) -> ResponsePreferences | None:
        """How the request is to be answered; None where only the ASGI path can."""
        if request.method != "GET" and request.query_string:
            return None  # its parameters may name an event stream
        deciding = [header for header in request.headers if header[0] in DECIDING]
        is_authorized = any(name == b"authorization" for name, _ in request.headers)
        key = (request.method, is_authorized, *deciding)
        known = self._known.get(key)
        if known is None:
            known = (_plain_preferences(request),)
            if sum(len(value) for _, value in deciding) <= MAX_DECIDING_BYTES:
                self._known.put(key, known)
        return known[0]

    def _written(self, preferences: ResponsePreferences, call: Call, answer: Answer) -> RawResponse | None:
        """Write an answer, and keep what was written with it; None where compressing it takes long."""
        known: RawResponse | None = answer.written.get(preferences)
        if known is not None:
            return known
        head = head_of(preferences, call, answer)
        body = answer.ready_body(head.encoding) if head.has_body else b""
        if body is None:
            return None
        written = self._response(head, body)
        if len(answer.written) < MAX_WRITTEN:
            answer.written[preferences] = written
        return written

    def _response(self, head: Head, body: bytes) -> RawResponse:
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.headers).encode("latin-1")
        if head.has_body:
            lines += b"content-length: %d\r\n" % len(body)
        return RawResponse(head.status, lines, b"", b"%b\r\n%b" % (self._common, body))

    def _error(self, error: ErrorResponse) -> RawResponse:
        headers = [header for header in error.headers if header[0] != b"connection"]  # the connection's own
        rest = added_to(error.headers, self._pipeline.headers)[len(error.headers) :]
        return RawResponse(error.status, lines_of(headers), b"", b"%b\r\n%b" % (lines_of(rest), error.body))


def as_mapping(headers: Iterable[RawHeader]) -> dict[str, str]:
    """Headers by name; the values of a repeated header are joined."""
    found: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _plain_preferences(request: RawRequest) -> ResponsePreferences | None:
    """The preferences of a request for one answer; None of one that may get an event stream."""
    headers = as_mapping(request.headers)
    if request.method != "GET":
        check_json_body(headers, request.method)
    preferences = preferences_of(request.method, headers)
    accepted = preferences.accepted
    may_stream = accepted.streams or accepted.media_type is None or TOKEN_HEADER in headers
    return None if may_stream else preferences
