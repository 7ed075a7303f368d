"""Cross-origin resource sharing (the Fetch standard): what pages of other origins may read.

No credentials are shared: a token is a header that the page itself sets, so a grant gives a page nothing that
its own server could not ask for.
"""

from __future__ import annotations

from collections.abc import Iterable

from transport.protocol.asgi import App, Message, Receive, Scope, Send
from transport.protocol.raw import RawHeader

ANY_ORIGIN = "*"
METHODS = "GET, POST, QUERY, PUT, DELETE"
# Sent by Apollo Client, urql, Relay, graphql-sse and EventSource, by tracing libraries, and by hand.
REQUEST_HEADERS = (
    "authorization",
    "content-type",
    "accept",
    "cache-control",
    "if-none-match",
    "last-event-id",
    "x-graphql-event-stream-token",
    "x-graphql-cost",
    "apollo-require-preflight",
    "apollographql-client-name",
    "apollographql-client-version",
    "x-apollo-operation-id",
    "x-apollo-operation-name",
    "graphql-preflight",
    "x-request-id",
    "traceparent",
    "tracestate",
    "baggage",
)
EXPOSED_HEADERS = "etag, retry-after, x-request-id"
MAX_AGE_SECONDS = 86_400
_VARY: tuple[RawHeader, ...] = ((b"vary", b"origin"),)
_PREFLIGHT: tuple[RawHeader, ...] = (
    (b"access-control-allow-methods", METHODS.encode()),
    (b"access-control-allow-headers", ", ".join(REQUEST_HEADERS).encode()),
    (b"access-control-max-age", b"%d" % MAX_AGE_SECONDS),
)


class CrossOrigin:
    """The origins whose pages may read answers; by default none but the own."""

    def __init__(self, origins: Iterable[str] = (), paths: Iterable[str] = ()) -> None:
        """Grant `origins` (`scheme://host[:port]`, or `*` for any) what is served at `paths` and below."""
        allowed = frozenset(origins)
        self._paths = tuple(paths)
        self._any = _granted(ANY_ORIGIN) if ANY_ORIGIN in allowed else None
        self._granted = {origin: (*_granted(origin), *_VARY) for origin in allowed}

    def headers(self, origin: str | None) -> tuple[RawHeader, ...]:
        """The headers of a response to a request of this origin; without a grant only `vary`, for caches."""
        if self._any is not None:
            return self._any
        if not self._granted:
            return ()
        return _VARY if origin is None else self._granted.get(origin, _VARY)

    def covers(self, path: str) -> bool:
        """Whether pages of other origins may ask for this path."""
        return any(path == each or path.startswith(f"{each}/") for each in self._paths)

    def headers_in(self, path: str, headers: Iterable[RawHeader]) -> tuple[RawHeader, ...]:
        """The headers of a response to a request with this path and these headers."""
        return self.headers(_value(headers, b"origin")) if self.covers(path) else ()


class CrossOriginMiddleware:
    """ASGI middleware that adds the headers of a grant, on errors too, and completes preflights."""

    def __init__(self, app: App, policy: CrossOrigin) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not self._policy.covers(scope["path"]):
            await self._app(scope, receive, send)
            return
        own = self._policy.headers_in(scope["path"], scope["headers"])
        if _is_preflight(scope) and _is_grant(own):
            own = (*own, *_PREFLIGHT)

        async def forward(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *own]
            await send(message)

        await self._app(scope, receive, forward)


def _granted(origin: str) -> tuple[RawHeader, ...]:
    return (
        (b"access-control-allow-origin", origin.encode()),
        (b"access-control-expose-headers", EXPOSED_HEADERS.encode()),
    )


def _is_grant(headers: tuple[RawHeader, ...]) -> bool:
    return bool(headers) and headers[0][0] == b"access-control-allow-origin"


def _is_preflight(scope: Scope) -> bool:
    wanted = _value(scope["headers"], b"access-control-request-method")
    return scope["method"] == "OPTIONS" and wanted is not None


def _value(headers: Iterable[RawHeader], wanted: bytes) -> str | None:
    return next((value.decode("latin-1") for name, value in headers if name == wanted), None)
