"""The response to a request for which there is no room."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import cycle

import orjson

from transport.protocol.errors import Overloaded
from transport.protocol.negotiation import JSON, accepted
from transport.protocol.raw import ErrorResponse, RawHeader, added_to

from .load_shedder import LoadShedder

RETRY_AFTER_SECONDS = cycle((1, 2, 3))
"""Sent in turn, so that clients that were refused together do not come back together."""
CONNECTION_CLOSE = (b"connection", b"close")


def overload_response(
    shedder: LoadShedder, headers: Sequence[RawHeader], defaults: tuple[RawHeader, ...] = ()
) -> ErrorResponse:
    """Count a refused request and return its response, with the default headers of every response."""
    shedder.note_refusal()
    accept = b""
    for name, value in headers:
        if name == b"accept":
            accept = value
            break
    retry_after_seconds = next(RETRY_AFTER_SECONDS)
    return _response(accept, retry_after_seconds, shedder.limits.message, shedder.draining, defaults)


@lru_cache(maxsize=1_024)
def _response(
    accept: bytes, retry_after_seconds: int, message: str, is_last: bool, defaults: tuple[RawHeader, ...]
) -> ErrorResponse:
    """A 503 in the media type that the client accepts; the last one of a connection closes it."""
    if b"text/html" in accept:
        kind, body = "text/plain", message.encode()
    else:
        kind = accepted(accept.decode("latin-1")).media_type or JSON
        error = {"message": message, "extensions": {"code": Overloaded.code}}
        body = orjson.dumps({"errors": [error]})
    headers = (
        (b"content-type", f"{kind}; charset=utf-8".encode()),
        (b"content-length", b"%d" % len(body)),
        (b"retry-after", b"%d" % retry_after_seconds),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *((CONNECTION_CLOSE,) if is_last else ()),
    )
    return ErrorResponse(Overloaded.status, added_to(headers, defaults), body)
