"""The local Stripe as an ASGI application."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from devservices.stripe import api
from devservices.stripe.control import Control, refused
from devservices.stripe.refusals import ApiError
from devservices.stripe.workshop import Workshop

LOCAL_ORIGIN = r"https?://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?"
MIDDLEWARE = [
    # No page of another site gets at it, by CORS or by a name that resolves to the loopback address.
    Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),
    Middleware(
        CORSMiddleware,
        allow_origin_regex=LOCAL_ORIGIN,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["Request-Id", "Idempotent-Replayed"],
    ),
]


def build(workshop: Workshop, ready: Callable[[], None] = lambda: None) -> Starlette:
    """The application over a workshop, which it runs and closes; `ready` is called when it serves."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        loop = asyncio.create_task(workshop.run())
        ready()
        yield
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop
        await workshop.courier.close()
        workshop.store.close()

    routes = [*api.routes(workshop.desk, workshop.arrangement.api_key), *Control(workshop).routes()]
    handlers = {ApiError: refused}
    return Starlette(routes=routes, lifespan=lifespan, middleware=MIDDLEWARE, exception_handlers=handlers)
