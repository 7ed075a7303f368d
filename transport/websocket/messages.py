"""What a client's messages may look like, and the close codes of those that do not."""

from __future__ import annotations

from typing import Any

import orjson

from transport.protocol.limits import Limits
from transport.protocol.payload import Payload

ENVELOPE_CHARACTERS = 1_000
"""Of a connection_init around its payload"""
_PARTS: tuple[tuple[str, type, str], ...] = (
    ("query", str, "a string"),
    ("operationName", str, "a string"),
    ("variables", dict, "an object"),
    ("extensions", dict, "an object"),
)


class Closed(Exception):
    """The connection has to end with a close code and a reason."""

    def __init__(self, code: int, reason: str, farewell: Payload | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.farewell = farewell


def check_first(text: str | None, limits: Limits) -> None:
    """Check the length of a message before connection_init: it is not decoded in vain. Raises: Closed."""
    if text is not None and len(text) > limits.init_bytes + ENVELOPE_CHARACTERS:
        raise Closed(4400, f"The payload of connection_init may hold {limits.init_bytes} bytes")


def decoded(text: str | None, limits: Limits) -> dict[str, Any]:
    """Decode a message. Raises: Closed."""
    if text is None:
        raise Closed(4400, "Only text messages are read")
    if len(text) > limits.body_bytes:
        raise Closed(1009, "Message too big")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Closed(4400, "Invalid message: not JSON") from None
    if not isinstance(message, dict):
        raise Closed(4400, "Invalid message: not an object")
    return message


def authorization_in(payload: Any, limits: Limits) -> dict[str, Any]:
    """The part of a connection_init's payload that is kept. Raises: Closed."""
    check_payload(payload)
    if len(orjson.dumps(payload)) > limits.init_bytes:
        raise Closed(4400, f"The payload of connection_init may hold {limits.init_bytes} bytes")
    return {name: value for name, value in (payload or {}).items() if name.lower() == "authorization"}


def check_payload(payload: Any) -> None:
    """Check the payload of a ping or a pong. Raises: Closed."""
    if payload is not None and not isinstance(payload, dict):
        raise Closed(4400, "Invalid message: payload has to be an object")


def operation_in(payload: Any) -> dict[str, Any]:
    """The payload of a subscribe, whose parts have the protocol's types. Raises: Closed.

    Beyond the protocol the text may be left out where a persisted document is named.
    """
    if not isinstance(payload, dict):
        raise Closed(4400, "Invalid message: payload has to be an object")
    for name, kind, wanted in _PARTS:
        if payload.get(name) is not None and not isinstance(payload[name], kind):
            raise Closed(4400, f"Invalid message: payload.{name} has to be {wanted}")
    named = payload.get("documentId") or (payload.get("extensions") or {}).get("persistedQuery")
    if payload.get("query") is None and not named:
        raise Closed(4400, "Invalid message: payload.query has to be a string")
    return payload


def check_id(name: Any, limits: Limits) -> None:
    """Check an operation's id. Raises: Closed."""
    if not isinstance(name, str) or not name:
        raise Closed(4400, "Invalid message: id has to be a string")
    if len(name.encode("utf-8", "surrogatepass")) > limits.operation_id_bytes:
        raise Closed(4400, f"Invalid message: an id may hold {limits.operation_id_bytes} bytes")
