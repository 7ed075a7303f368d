"""Checks of HTTP/1.1 request heads beyond the parser's, and their error responses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus

import orjson

from transport.protocol.raw import RawResponse

RawHeaders = Sequence[tuple[bytes, bytes]]

MOST_HEAD_BYTES = 65_536
HOST = re.compile(rb"[\w.~%!$&'()*+,;=:\[\]-]*", re.ASCII)
OF_ONE_HOP = frozenset((b"upgrade", b"http2-settings"))


def fault_of(version: str, headers: RawHeaders) -> str | None:
    """The fault of a head (RFC 9112, sections 3.2 and 6.1); None where it is valid."""
    hosts = 0
    for name, value in headers:
        if name == b"host":
            hosts += 1
            if not HOST.fullmatch(value):
                return "The Host header is malformed."
        elif name == b"transfer-encoding" and value.strip().lower() != b"chunked":
            return "Only the transfer coding chunked is understood."
    if hosts > 1 or (hosts == 0 and version == "1.1"):
        return "A request names its host, once."
    return None


def is_too_large(url: bytes, headers: RawHeaders) -> bool:
    """Whether a head is too long."""
    return len(url) + sum(len(name) + len(value) for name, value in headers) > MOST_HEAD_BYTES


def without_upgrade(method: bytes, url: bytes, version: str, headers: RawHeaders) -> bytes:
    """The same head without the offer of another protocol (RFC 9110, section 7.8)."""
    lines = [b"%b %b HTTP/%b" % (method, url, version.encode())]
    for name, value in headers:
        if name == b"connection":
            kept = [token for token in value.split(b",") if token.strip().lower() not in OF_ONE_HOP]
            value = b",".join(kept)
        if name not in OF_ONE_HOP:
            lines.append(b"%b: %b" % (name, value))
    return b"\r\n".join([*lines, b"", b""])


def error_response(status: HTTPStatus, code: str, message: str) -> RawResponse:
    """The last response of a connection."""
    body = orjson.dumps({"errors": [{"message": message, "extensions": {"code": code}}]})
    lines = (
        "content-type: application/json; charset=utf-8",
        f"content-length: {len(body)}",
        "cache-control: no-store",
        "connection: close",
    )
    return RawResponse(status.value, "\r\n".join([*lines, ""]).encode(), b"", b"\r\n" + body)
