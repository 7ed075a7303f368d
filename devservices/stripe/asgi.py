"""The local Stripe as an ASGI application."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from devservices.stripe import routes
from devservices.stripe.app import App
from devservices.stripe.by_hand import ByHand
from devservices.stripe.control import Control, error_response
from devservices.stripe.errors import ApiError

LOCAL_ORIGIN = r"https?://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?"


def _middleware(app: App) -> list[Middleware]:
    """Pages of other sites are refused, by CORS and by the host name (DNS rebinding)."""
    hosts = ["127.0.0.1", "localhost", *app.config.other_hosts]
    cors = Middleware(
        CORSMiddleware,
        allow_origin_regex=LOCAL_ORIGIN,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["Request-Id", "Idempotent-Replayed"],
    )
    return [Middleware(TrustedHostMiddleware, allowed_hosts=hosts), cors]


def build(app: App, ready: Callable[[], None] = lambda: None) -> Starlette:
    """The ASGI application; its lifespan runs and closes `app`, and calls `ready` when it serves."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        loop = asyncio.create_task(app.run())
        ready()
        yield
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop
        await app.webhooks.close()
        app.store.close()

    return Starlette(
        routes=[
            *routes.routes(app.api, app.config.api_key),
            *Control(app).routes(),
            *ByHand(app).routes(),
        ],
        lifespan=lifespan,
        middleware=_middleware(app),
        exception_handlers={ApiError: error_response},
    )
