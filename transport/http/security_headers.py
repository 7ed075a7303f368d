"""The security headers of every response, for those that do not set their own."""

from __future__ import annotations

from transport.protocol.asgi import App, Message, Receive, Scope, Send
from transport.protocol.raw import RawHeader, added_to

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")


def security_headers(strict_transport: bool) -> tuple[RawHeader, ...]:
    """The security headers; `strict_transport` adds the one that makes browsers use TLS only."""
    return (*HEADERS, STRICT_TRANSPORT) if strict_transport else HEADERS


class SecurityHeaders:
    """ASGI middleware that adds the security headers a response does not set itself."""

    def __init__(self, app: App, *, strict_transport: bool) -> None:
        self._app = app
        self._headers = security_headers(strict_transport)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def forward(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = list(added_to(message.get("headers", ()), self._headers))
            await send(message)

        await self._app(scope, receive, forward)
