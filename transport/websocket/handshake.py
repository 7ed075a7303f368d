"""The opening handshake of WebSocket (RFC 6455, section 4.2), server's side."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

RawHeaders = list[tuple[bytes, bytes]]
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_BYTES = 16
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
EMPTY = b"Content-Length: 0\r\nConnection: close\r\n\r\n"
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\n" + EMPTY
UPGRADE_REQUIRED = b"HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\n" + EMPTY
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\n" + EMPTY
FAILED = b"HTTP/1.1 500 Internal Server Error\r\n" + EMPTY
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\n" + EMPTY


class HandshakeRejected(Exception):
    """The request cannot become a WebSocket; `response` says why."""

    def __init__(self, response: bytes) -> None:
        super().__init__(response)
        self.response = response


@dataclass(frozen=True, slots=True)
class Opening:
    """A request that may become a WebSocket."""

    path: bytes
    query_string: bytes
    headers: RawHeaders
    subprotocols: list[str]
    key: bytes

    def response(self, subprotocol: str | None, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """What opens the socket."""
        digest = hashlib.sha1(self.key + _GUID, usedforsecurity=False).digest()
        lines = [b"Sec-WebSocket-Accept: " + base64.b64encode(digest)]
        if subprotocol is not None:
            lines.append(b"Sec-WebSocket-Protocol: " + subprotocol.encode())
        lines += [name + b": " + value for name, value in headers]
        return SWITCHING + b"\r\n".join(lines) + b"\r\n\r\n"


def read_opening(head: bytes) -> Opening:
    """Read a request that an HTTP parser has found to be well formed. Raises: HandshakeRejected."""
    request, *lines = head.split(b"\r\n")
    method, target, version = request.split(b" ", 2)
    headers: RawHeaders = []
    for line in lines:
        name, _, value = line.partition(b":")
        headers.append((name.strip().lower(), value.strip()))
    if method != b"GET" or version != b"HTTP/1.1" or not _all(headers, b"host"):
        raise HandshakeRejected(BAD_REQUEST)
    if b"websocket" not in _tokens(headers, b"upgrade") or b"upgrade" not in _tokens(headers, b"connection"):
        raise HandshakeRejected(UPGRADE_REQUIRED)
    if _all(headers, b"sec-websocket-version") != [b"13"]:
        raise HandshakeRejected(UPGRADE_REQUIRED)
    path, _, query_string = _in_origin_form(target).partition(b"?")
    offered = b",".join(_all(headers, b"sec-websocket-protocol")).decode("latin-1")
    subprotocols = [name.strip() for name in offered.split(",") if name.strip()]
    return Opening(path, query_string, headers, subprotocols, _key(headers))


def _in_origin_form(target: bytes) -> bytes:
    """A target without the scheme and authority that requests to proxies carry (RFC 9112, section 3.2.2)."""
    if target.startswith(b"/"):
        return target
    return b"/" + target.partition(b"://")[2].partition(b"/")[2]


def _key(headers: RawHeaders) -> bytes:
    keys = _all(headers, b"sec-websocket-key")
    try:
        if len(keys) == 1 and len(base64.b64decode(keys[0], validate=True)) == _KEY_BYTES:
            return keys[0]
    except binascii.Error:
        pass
    raise HandshakeRejected(BAD_REQUEST)


def _all(headers: RawHeaders, wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name == wanted]


def _tokens(headers: RawHeaders, wanted: bytes) -> set[bytes]:
    return {token.strip().lower() for value in _all(headers, wanted) for token in value.split(b",")}
