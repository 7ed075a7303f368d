"""Whole requests and responses as bytes, without ASGI messages."""

from __future__ import annotations

from dataclasses import dataclass
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
    """A whole response except the headers that every response of the process has."""

    status: int
    status_line: bytes
    rest: bytes
    """The other headers, the empty line and the body"""
