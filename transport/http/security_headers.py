"""What every answer tells a browser it may do with it: nothing, unless the page said otherwise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from transport.protocol.asgi import Message, Receive, Scope, Send

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")


def security_headers(strict_transport: bool) -> tuple[tuple[bytes, bytes], ...]:
    """The headers of every answer."""
    return (*HEADERS, STRICT_TRANSPORT) if strict_transport else HEADERS


class SecurityHeaders:
    """ASGI middleware that adds to every answer the headers it does not set itself."""

    def __init__(
        self, app: Callable[[Scope, Receive, Send], Awaitable[None]], *, strict_transport: bool
    ) -> None:
        self._app = app
        self._headers = security_headers(strict_transport)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def forward(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                set_already = {name for name, _ in headers}
                headers += [header for header in self._headers if header[0] not in set_already]
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, forward)
