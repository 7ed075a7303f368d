"""The short way: answers that need no waiting, made and written while the request is being read.

A request whose document is known, whose caller is known and whose data are at hand is answered within one
callback of the connection: no task, no ASGI messages, no middleware. Whatever is not so is left to the
long way, which answers everything; where an execution has begun and has to wait, the long way ends it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from inspect import iscoroutine
from time import perf_counter
from typing import NamedTuple

from .answering import Begun
from .answers import Answer
from .asgi import check_json_body
from .engine import Call
from .http import HttpTransport
from .lru import LeastRecentlyUsed
from .ports import ConnectionInfo
from .responses import COST_HEADER, Head, Manner, head_of, manner_of
from .sse import TOKEN_HEADER

logger = logging.getLogger(__name__)
RawHeader = tuple[bytes, bytes]

MOST_MANNERS = 512
MOST_WRITTEN = 8
LONGEST_DECIDING_BYTES = 1_024
STATUS_LINES = {
    status: f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode() for status in (200, 304)
}
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

    manner: Manner
    call: Call
    headers: Mapping[str, str]


@dataclass(slots=True, eq=False)
class RawRequest:
    """A whole request as it came: header names in lower case."""

    method: str
    query_string: bytes
    headers: list[RawHeader]
    body: bytes
    prepared: Prepared | None = None
    """What was found out about it when it came for the first time"""


class RawResponse(NamedTuple):
    """A whole response but for the headers that every response of the process has."""

    status: int
    status_line: bytes
    rest: bytes
    """The other headers, the empty line and the body"""


def as_mapping(lines: list[RawHeader]) -> dict[str, str]:
    """Headers by name; of one that is sent twice, the values are joined."""
    found: dict[str, str] = {}
    for raw_name, raw_value in lines:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


FOLLOWED = frozenset((b"x-request-id", b"traceparent"))
"""Who sends these wants to find the request again: only the long way tells what becomes of it."""


def unnoticed(_method: str, _status: int, _seconds: float) -> None:
    """Count nothing of an answer."""


class DirectAnswers:
    """Answers whole requests at once, exactly as the long way would have answered them."""

    def __init__(
        self,
        transport: HttpTransport,
        added: tuple[RawHeader, ...] = (),
        answered: Callable[[str, int, float], None] = unnoticed,
    ) -> None:
        """`answered` is told the method, status and seconds of every answer."""
        self._transport = transport
        self._answered = answered
        self._added = b"".join(b"%b: %b\r\n" % header for header in added)
        self._manners: LeastRecentlyUsed[Hashable, tuple[Manner | None]] = LeastRecentlyUsed(MOST_MANNERS)
        self._post_heads: LeastRecentlyUsed[Hashable, tuple[Head, bytes]] = LeastRecentlyUsed(MOST_MANNERS)

    def answer(self, request: RawRequest, client: str | None) -> RawResponse | Begun | None:
        """Answer, or begin to; None where the long way has to be taken from its start."""
        try:
            return self._answer(request, client)
        except Exception:
            # Nothing was written and a query changes nothing: the long way meets the same, and reports it.
            logger.debug("The short way ended", exc_info=True)
            return None

    def _answer(self, request: RawRequest, client: str | None) -> RawResponse | Begun | None:
        began = perf_counter()
        prepared = request.prepared or self._prepare(request)
        if prepared is None:
            return None
        manner, call, headers = prepared
        info = ConnectionInfo(headers, client)
        context = self._transport.context_factory(info)
        if iscoroutine(context):
            context.close()
            return None
        answer = self._transport.answering.begin(call, context, info)
        if isinstance(answer, Answer):
            written = answer.written.get(manner) or self._written(manner, call, answer)
            if written is not None:
                self._answered(request.method, written.status, perf_counter() - began)
            return written
        return None if answer is None else Begun(call, answer)

    def _prepare(self, request: RawRequest) -> Prepared | None:
        manner = self._manner(request)
        if manner is None:
            return None
        raw = request.query_string if manner.method == "GET" else request.body
        call = self._transport.remembered(manner, raw)
        if call is None or call.operation.kind != "query":
            return None
        request.prepared = Prepared(manner, call, as_mapping(request.headers))
        return request.prepared

    def _manner(self, request: RawRequest) -> Manner | None:
        """How the request wants to be answered; None where only the long way can."""
        if request.method == "POST" and request.query_string:
            return None  # its parameters may name an event stream
        deciding = [header for header in request.headers if header[0] in DECIDING]
        names = {name for name, _ in request.headers}
        if not names.isdisjoint(FOLLOWED):
            return None
        authorized = b"authorization" in names
        key = (request.method, authorized, *deciding)
        known = self._manners.get(key)
        if known is None:
            known = (_short_manner(request),)
            if sum(len(value) for _, value in deciding) <= LONGEST_DECIDING_BYTES:
                self._manners.put(key, known)
        return known[0]

    def _written(self, manner: Manner, call: Call, answer: Answer) -> RawResponse | None:
        """Write an answer; what was written is kept with the answer, for others of the same manner."""
        head, lines = self._head(manner, call, answer)
        body = answer.ready_body(head.encoding) if head.has_body else b""
        if body is None:
            return None
        length = b"content-length: %d\r\n" % len(body) if head.has_body else b""
        rest = b"%b%b%b\r\n%b" % (lines, length, self._added, body)
        written = RawResponse(head.status, STATUS_LINES[head.status], rest)
        if len(answer.written) < MOST_WRITTEN:
            answer.written[manner] = written
        return written

    def _head(self, manner: Manner, call: Call, answer: Answer) -> tuple[Head, bytes]:
        """The head of an answer and its lines; that of a POST is the same for every answer so encoded."""
        key = (manner, answer.encoding(manner.encoding))
        known = self._post_heads.get(key) if manner.method == "POST" else None
        if known is None:
            head = head_of(manner, call, answer)
            lines = "".join(f"{name}: {value}\r\n" for name, value in head.headers)
            known = head, lines.encode("latin-1")
            if manner.method == "POST":
                self._post_heads.put(key, known)
        return known


def _short_manner(request: RawRequest) -> Manner | None:
    headers = as_mapping(request.headers)
    if request.method == "POST":
        check_json_body(headers)
    manner = manner_of(request.method, headers)
    streams = manner.accepted.stream or manner.accepted.media_type is None or TOKEN_HEADER in headers
    return None if streams else manner
