"""How the answers of one operation are written to a response that goes on: two formats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from transport.protocol.errors import Header
from transport.protocol.payload import Payload

_NOT_KEPT: tuple[Header, ...] = (("cache-control", "no-store"), ("x-accel-buffering", "no"))


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """What is written before, for and after the answers."""

    name: str
    """The transport in metrics"""
    content_type: str
    opening: bytes
    beat: bytes
    """Written while the stream is quiet"""
    answer: Callable[[Payload, str | None], bytes]
    """Writes an answer and its event id"""
    refusal: Callable[[Payload], bytes]
    """Writes an error that ends the stream"""
    complete: bytes

    @property
    def headers(self) -> list[Header]:
        """The headers of the response."""
        return [("content-type", self.content_type), *_NOT_KEPT]


def sse_next(data: bytes, event_id: str | None) -> bytes:
    """Write a next event; JSON as orjson writes it holds no line break."""
    head = b"" if event_id is None else b"id: " + event_id.encode() + b"\n"
    return b"event: next\n" + head + b"data: " + data + b"\n\n"


SSE = StreamFormat(
    name="sse",
    content_type="text/event-stream",
    opening=b":\n\n",  # a comment makes browsers accept the stream
    beat=b":\n\n",
    answer=lambda payload, event_id: sse_next(payload.body, event_id),
    refusal=lambda payload: sse_next(payload.body, None),
    complete=b"event: complete\ndata:\n\n",
)
"""graphql-sse, distinct connections mode"""


def _part(data: bytes) -> bytes:
    # A client takes a part when it sees the next boundary, so that follows at once.
    return b"\r\ncontent-type: application/json\r\n\r\n" + data + b"\r\n--graphql"


MULTIPART = StreamFormat(
    name="multipart",
    content_type='multipart/mixed; boundary="graphql"; subscriptionSpec=1.0',
    opening=b"\r\n--graphql",
    beat=_part(b"{}"),
    answer=lambda payload, _: _part(b'{"payload":' + payload.body + b"}"),
    refusal=lambda payload: _part(b'{"payload":null,' + payload.body[1:]),
    complete=b"--\r\n",
)
"""The multipart protocol of Apollo's clients, version 1.0"""
