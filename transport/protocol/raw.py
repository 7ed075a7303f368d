"""HTTP without ASGI messages: headers, requests and responses as bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import NamedTuple

RawHeader = tuple[bytes, bytes]

STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


@dataclass(slots=True, eq=False)
class RawRequest:
    """A whole request as it was received; header names are in lower case."""

    method: str
    query_string: bytes
    headers: list[RawHeader]
    body: bytes


class RawResponse(NamedTuple):
    """A whole response except the headers that uvicorn adds to every response."""

    status: int
    lines: bytes
    """The headers of the answer itself"""
    own_lines: bytes
    """Headers of this response alone, such as its request id"""
    rest: bytes
    """The headers of every response, the empty line and the body"""


@dataclass(frozen=True)
class ErrorResponse:
    """A response that no handler made: a refusal or a masked fault."""

    status: int
    headers: tuple[RawHeader, ...]
    body: bytes

    @cached_property
    def as_bytes(self) -> bytes:
        """The whole response as HTTP/1.1 sends it."""
        return b"%b%b\r\n%b" % (STATUS_LINES[self.status], lines_of(self.headers), self.body)


def lines_of(headers: Iterable[RawHeader]) -> bytes:
    """Write headers as HTTP/1.1 sends them."""
    return b"".join(b"%b: %b\r\n" % header for header in headers)


def added_to(headers: Iterable[RawHeader], defaults: Iterable[RawHeader]) -> tuple[RawHeader, ...]:
    """Add each default header that is not set yet."""
    headers = tuple(headers)
    names = {name for name, _ in headers}
    return (*headers, *(header for header in defaults if header[0] not in names))
