"""An encoded answer, framed once for all sockets that send it to an operation of the same id."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError

from .masking import BAD_INPUT
from .ports import ErrorMapper

KEPT_FRAMES = 32
"""Frames kept of one payload. Client libraries count their ids, so most sockets use the same few ids."""

CLOSING = b"}"
"""The part of a `next` message after the payload."""


class Payload:
    """The JSON of one GraphQL response."""

    __slots__ = ("_frames", "body", "failed", "is_shared")

    def __init__(self, body: bytes, failed: bool) -> None:
        self.body = body
        self.failed = failed
        self.is_shared = False
        """Whether several receivers keep it alive."""
        self._frames: dict[bytes, bytes] | None = None

    def next_message(self, quoted_id: bytes) -> bytes:
        """The `next` message that carries this payload to the operation of an id (as JSON)."""
        return self.opening(quoted_id) + self.body + CLOSING

    @staticmethod
    def opening(quoted_id: bytes) -> bytes:
        """The part of a `next` message before the payload."""
        return b'{"id":' + quoted_id + b',"type":"next","payload":'

    def framed(self, quoted_id: bytes, frame: Callable[[bytes], bytes]) -> bytes:
        """The same message as `frame` frames it; every caller passes the same `frame`."""
        if self._frames is None:
            self._frames = {}
        known = self._frames.get(quoted_id)
        if known is None:
            known = frame(self.next_message(quoted_id))
            if len(self._frames) < KEPT_FRAMES:
                self._frames[quoted_id] = known
        return known


class PayloadEncoder:
    """Writes results and errors as payloads."""

    def __init__(self, error_mapper: ErrorMapper) -> None:
        self._error_mapper = error_mapper

    def errors(self, errors: Iterable[GraphQLError]) -> list[dict[str, Any]]:
        """Return the public form of each error; every one carries a code."""
        formatted = [self._error_mapper(error) for error in errors]
        for error in formatted:
            error.setdefault("extensions", {}).setdefault("code", BAD_INPUT)
        return formatted

    def request_error(self, errors: Iterable[GraphQLError]) -> Payload:
        """Encode a request error: no data."""
        return Payload(orjson.dumps({"errors": self.errors(errors)}), failed=True)

    def fault(self, error: Exception) -> Payload:
        """Encode a fault of our own: masked, with a log id."""
        return self.request_error([GraphQLError("Internal server error.", original_error=error)])

    def result(self, result: ExecutionResult, extensions: dict[str, Any] | None) -> Payload:
        """Encode an execution's result."""
        response: dict[str, Any] = {"data": result.data}
        if result.errors:
            response["errors"] = self.errors(result.errors)
        if extensions:
            response["extensions"] = extensions
        try:
            return Payload(orjson.dumps(response), failed=bool(result.errors))
        except TypeError as error:
            return self.fault(error)
