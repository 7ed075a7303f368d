"""The short way: whole requests answered without ASGI's messages and its middleware.

A query whose document is known, whose caller is known and whose data are at hand is answered within one
callback of the connection, while it is being read. Whatever has to wait is answered by one task. What is no
plain request for one answer (a stream, a preflight, a body in many pieces) is left to the long way.
"""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Hashable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from inspect import iscoroutine
from time import perf_counter
from typing import Any, NamedTuple, Protocol, TypeAlias

from kit.cache import Cache
from transport.execution.engine import Call
from transport.overload.middleware import Door, Refusal
from transport.protocol.asgi import check_json_body
from transport.protocol.errors import Overloaded, Refused
from transport.protocol.ports import ConnectionInfo
from transport.responses.answering import Begun
from transport.responses.answers import Answer
from transport.responses.heads import COST_HEADER, Head, ResponsePreferences, head_of, preferences_of
from transport.sse.handler import TOKEN_HEADER

from .handler import HttpTransport
from .raw import STATUS_LINES, RawHeader, RawRequest, RawResponse

logger = logging.getLogger(__name__)
MAX_PREFERENCES = 512
MOST_WRITTEN = 8
LONGEST_DECIDING_BYTES = 1_024
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
"""The headers that decide how a request is answered, besides who sends it."""


class Prepared(NamedTuple):
    """What a request asks for, and how it wants to be answered."""

    preferences: ResponsePreferences
    call: Call | None
    """A query that is known; None for whatever has to be looked at first"""
    headers: Mapping[str, str]


Work: TypeAlias = Coroutine[Any, Any, RawResponse]
"""What a task of its own has to do for a request"""


class Watch(Protocol):
    """Whoever looks on."""

    def working(self) -> AbstractContextManager[tuple[RawHeader, ...]]:
        """Around the work of one task; gives the headers by which its request is found in the logs."""

    def answered(self, method: str, status: int, seconds: float) -> None:
        """Count an answer."""


class NoWatch:
    """Nobody looks on."""

    def working(self) -> AbstractContextManager[tuple[RawHeader, ...]]:
        """Add no header."""
        return nullcontext(())

    def answered(self, method: str, status: int, seconds: float) -> None:
        """Count nothing."""


def as_mapping(lines: list[RawHeader]) -> dict[str, str]:
    """Headers by name; of one that is sent twice, the values are joined."""
    found: dict[str, str] = {}
    for raw_name, raw_value in lines:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def lines_of(headers: tuple[RawHeader, ...]) -> bytes:
    """Headers as HTTP/1.1 carries them."""
    return b"".join(b"%b: %b\r\n" % header for header in headers)


def lines_of_head(head: Head) -> bytes:
    """The same, of an answer's head."""
    return "".join(f"{name}: {value}\r\n" for name, value in head.headers).encode("latin-1")


FOLLOWED = frozenset((b"x-request-id", b"traceparent"))
"""Who sends these wants to find the request again: only the long way tells what becomes of it."""


class FastPath:
    """Answers whole requests exactly as the long way would have answered them."""

    def __init__(
        self,
        transport: HttpTransport,
        door: Door,
        added: tuple[RawHeader, ...] = (),
        watch: Watch | None = None,
    ) -> None:
        """`added` are headers of every answer."""
        self._transport = transport
        self._door = door
        self._watch = watch or NoWatch()
        self._added = lines_of(added)
        self._preferences: Cache[Hashable, tuple[ResponsePreferences | None]] = Cache(
            max_entries=MAX_PREFERENCES
        )
        self._post_heads: Cache[Hashable, tuple[Head, bytes]] = Cache(max_entries=MAX_PREFERENCES)

    def answer(self, request: RawRequest, client: str | None) -> RawResponse | Work | None:
        """Answer, or say what a task has to do for it; None where the long way has to be taken."""
        began = perf_counter()
        try:
            prepared = self._prepare(request)
        except Refused:
            prepared = None  # the long way meets the same, and says so
        if prepared is None:
            return None
        info = ConnectionInfo(prepared.headers, client)
        begun: Begun | None = None
        if prepared.call is not None:
            try:
                answer = self._begin(prepared.preferences, prepared.call, info)
                if isinstance(answer, RawResponse):
                    self._watch.answered(request.method, answer.status, perf_counter() - began)
                    return answer
                begun = answer
            except Exception:
                # Nothing was written and a query changes nothing: the task meets the same, and reports it.
                logger.debug("Nothing could be answered at once", exc_info=True)
        self._door.announce()
        return self._work(request, prepared.preferences, info, begun, began)

    def _begin(
        self, preferences: ResponsePreferences, call: Call, info: ConnectionInfo
    ) -> RawResponse | Begun | None:
        """Answer at once, or begin to; None where nothing has begun."""
        context = self._transport.context_factory(info)
        if iscoroutine(context):
            context.close()
            return None
        answer = self._transport.answering.begin(call, context, info)
        if isinstance(answer, Answer):
            written = answer.written.get(preferences) or self._written(preferences, call, answer)
            return written or Begun(call, _given(answer))
        return None if answer is None else Begun(call, answer)

    async def _work(
        self,
        request: RawRequest,
        preferences: ResponsePreferences,
        info: ConnectionInfo,
        begun: Begun | None,
        began: float,
    ) -> RawResponse:
        with self._watch.working() as named:
            answered = await self._door.through(partial(self._respond, request, preferences, info, begun))
            if answered is None:
                if begun is not None and iscoroutine(begun.answer):
                    begun.answer.close()
                response = _turned_away(self._door.refusal(request.headers), named)
            else:
                head, body = answered
                response = self._raw(head, lines_of_head(head) + lines_of(named), body)
            self._watch.answered(request.method, response.status, perf_counter() - began)
            return response

    async def _respond(
        self, request: RawRequest, preferences: ResponsePreferences, info: ConnectionInfo, begun: Begun | None
    ) -> tuple[Head, bytes]:
        raw = request.query_string if preferences.method == "GET" else request.body
        head, answer = await self._transport.respond_to(preferences, info, raw, begun)
        return head, await answer.body(head.encoding) if head.has_body else b""

    def _prepare(self, request: RawRequest) -> Prepared | None:
        preferences = self._manner(request)
        if preferences is None:
            return None
        raw = request.query_string if preferences.method == "GET" else request.body
        call = self._transport.remembered(preferences, raw)
        if call is not None and call.operation.kind != "query":
            call = None
        return Prepared(preferences, call, as_mapping(request.headers))

    def _manner(self, request: RawRequest) -> ResponsePreferences | None:
        """How the request wants to be answered; None where only the long way can."""
        if request.method == "POST" and request.query_string:
            return None  # its parameters may name an event stream
        deciding = [header for header in request.headers if header[0] in DECIDING]
        names = {name for name, _ in request.headers}
        if not names.isdisjoint(FOLLOWED):
            return None
        authorized = b"authorization" in names
        key = (request.method, authorized, *deciding)
        known = self._preferences.get(key)
        if known is None:
            known = (_short_manner(request),)
            if sum(len(value) for _, value in deciding) <= LONGEST_DECIDING_BYTES:
                self._preferences.put(key, known)
        return known[0]

    def _written(self, preferences: ResponsePreferences, call: Call, answer: Answer) -> RawResponse | None:
        """Write an answer; None where compressing it takes long.

        What was written is kept with the answer, for others of the same preferences.
        """
        head, lines = self._head(preferences, call, answer)
        body = answer.ready_body(head.encoding) if head.has_body else b""
        if body is None:
            return None
        written = self._raw(head, lines, body)
        if len(answer.written) < MOST_WRITTEN:
            answer.written[preferences] = written
        return written

    def _raw(self, head: Head, lines: bytes, body: bytes) -> RawResponse:
        length = b"content-length: %d\r\n" % len(body) if head.has_body else b""
        rest = b"%b%b%b\r\n%b" % (lines, length, self._added, body)
        return RawResponse(head.status, STATUS_LINES[head.status], rest)

    def _head(self, preferences: ResponsePreferences, call: Call, answer: Answer) -> tuple[Head, bytes]:
        """The head of an answer and its lines; that of a POST is the same for every answer so encoded."""
        key = (preferences, answer.encoding(preferences.encoding))
        known = self._post_heads.get(key) if preferences.method == "POST" else None
        if known is None:
            head = head_of(preferences, call, answer)
            known = head, lines_of_head(head)
            if preferences.method == "POST":
                self._post_heads.put(key, known)
        return known


def _short_manner(request: RawRequest) -> ResponsePreferences | None:
    headers = as_mapping(request.headers)
    if request.method == "POST":
        check_json_body(headers)
    preferences = preferences_of(request.method, headers)
    streams = (
        preferences.accepted.stream or preferences.accepted.media_type is None or TOKEN_HEADER in headers
    )
    return None if streams else preferences


async def _given(answer: Answer) -> Answer:
    return answer


def _turned_away(refusal: Refusal, named: tuple[RawHeader, ...]) -> RawResponse:
    rest = b"%b\r\n%b" % (lines_of((*refusal.headers, *named)), refusal.body)
    return RawResponse(Overloaded.status, STATUS_LINES[Overloaded.status], rest)
