"""The parts of ASGI that every room uses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from .errors import BadRequest, Header, PayloadTooLarge, UnsupportedMediaType
from .ports import ConnectionInfo
from .raw import ErrorResponse

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class ClientGone(Exception):
    """The client went away before it was answered."""


def connection_info(scope: Scope, transport: str) -> ConnectionInfo:
    """Describe the caller; the values of a repeated header are joined."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        value = raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    client = scope.get("client")
    return ConnectionInfo(headers, client[0] if client else None, transport)


def check_json_body(headers: Any, method: str) -> None:
    """Accept JSON in UTF-8 only. Raises: UnsupportedMediaType.

    This is also the guard against cross-site requests: a page can send no other site a body of
    this type without a preflight, which the answer to OPTIONS does not allow.
    """
    media_type, *parameters = (part.strip().lower() for part in headers.get("content-type", "").split(";"))
    if media_type != "application/json":
        raise UnsupportedMediaType(f"The Content-Type of a {method} has to be application/json.")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            raise UnsupportedMediaType("The charset of a body has to be UTF-8.")
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType("A compressed body is not read here.")


async def read_body(headers: Any, receive: Receive, limit: int) -> bytes:
    """Read the whole body, never more than limit bytes of it. Raises: PayloadTooLarge."""
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        raise BadRequest("The Content-Length is malformed.")
    if len(length) > 18 or int(length) > limit:
        raise PayloadTooLarge(f"A body may hold {limit} bytes.")
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise PayloadTooLarge(f"A body may hold {limit} bytes.")
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


async def start_response(send: Send, status: int, headers: Iterable[Header]) -> None:
    """Send the status line and the headers."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(n.encode("latin-1"), v.encode("latin-1")) for n, v in headers],
        }
    )


async def respond(send: Send, status: int, headers: list[Header], body: bytes) -> None:
    """Send a whole response."""
    await start_response(send, status, [*headers, ("content-length", str(len(body)))])
    await send({"type": "http.response.body", "body": body})


async def send_error(send: Send, response: ErrorResponse) -> None:
    """Send a refusal or a masked fault."""
    await send({"type": "http.response.start", "status": response.status, "headers": list(response.headers)})
    await send({"type": "http.response.body", "body": response.body})
