"""The web pages: static shells with their modules and operations, under a strict content policy.

Everything is read from `web/`; nothing is rendered, so a page holds no secret and no data.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

WEB_ROOT = Path(__file__).resolve().parent.parent / "web"
PUBLIC_FOLDERS = frozenset({"scripts", "styles", "operations", "images"})
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".graphql": "application/graphql; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
}
SHRINKING = frozenset({".html", ".js", ".css", ".graphql", ".json", ".svg", ".ttf"})
SMALLEST_TO_COMPRESS_BYTES = 600
# As their packages ship them, installed by npm in web/; without npm /graphiql says so, and a page solves
# challenges by itself.
VENDOR = {
    "altcha.js": "node_modules/altcha/dist_external/altcha.js",
    "altcha-worker.js": "node_modules/altcha/dist_external/worker.js",
    "altcha.css": "node_modules/altcha/dist_external/altcha.css",
    "graphiql.js": "node_modules/graphiql/graphiql.min.js",
    "graphiql.css": "node_modules/graphiql/graphiql.min.css",
    "react.js": "node_modules/react/umd/react.production.min.js",
    "react-dom.js": "node_modules/react-dom/umd/react-dom.production.min.js",
}
ORIGIN = re.compile(r"^https?://[A-Za-z0-9.\-\[\]]+(:\d+)?")
HOST = re.compile(r"^[A-Za-z0-9.\-\[\]:]{1,255}$")


class PageSettings(Protocol):
    """The settings that the pages need."""

    @property
    def environment(self) -> str: ...

    @property
    def stripe_publishable_key(self) -> str: ...

    @property
    def stripe_api_base(self) -> str: ...

    @property
    def graphiql(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Asset:
    """A file with its bytes, their gzip form where that is smaller, and its validator."""

    body: bytes
    gzipped: bytes | None
    content_type: str
    etag: str
    modified_ns: int


class Assets:
    """Reads the files of one folder, each once until it changes on disk."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        # The folder may be a link, where several checkouts share one installation of npm packages.
        self._installed = (root / "node_modules").resolve()
        self._read: dict[Path, Asset] = {}

    async def find(self, relative: str) -> Asset | None:
        """Return the asset at a path below the root, never a file outside it."""
        try:
            path = (self._root / relative).resolve()
            if not path.is_relative_to(self._root) and not path.is_relative_to(self._installed):
                return None
            if not path.is_file():
                return None
            modified_ns = path.stat().st_mtime_ns
        except (OSError, ValueError):
            return None
        asset = self._read.get(path)
        if asset is None or asset.modified_ns != modified_ns:
            asset = self._read[path] = await run_in_threadpool(_load, path, modified_ns)
        return asset

    async def find_public(self, relative: str) -> Asset | None:
        """Return the asset at a path of a public folder, if there is one."""
        parts = Path(relative).parts
        if len(parts) == 2 and parts[0] == "vendor":
            return await self.find(VENDOR[parts[1]]) if parts[1] in VENDOR else None
        if not parts or parts[0] not in PUBLIC_FOLDERS or ".." in parts:
            return None
        if Path(relative).suffix not in CONTENT_TYPES:
            return None
        return await self.find(relative)


def _load(path: Path, modified_ns: int) -> Asset:
    body = path.read_bytes()
    gzipped = None
    if path.suffix in SHRINKING and len(body) >= SMALLEST_TO_COMPRESS_BYTES:
        gzipped = gzip.compress(body, compresslevel=9, mtime=0)
    digest = hashlib.sha256(body).hexdigest()[:24]
    kind = CONTENT_TYPES.get(path.suffix, "application/octet-stream")
    return Asset(body, gzipped, kind, digest, modified_ns)


def payment_origins(settings: PageSettings) -> tuple[str, bool]:
    """The origin of the local Stripe in development, or "", and whether the real one is in use."""
    local = settings.stripe_api_base if settings.environment == "development" else ""
    match = ORIGIN.match(local)
    real = bool(settings.stripe_publishable_key) and not settings.stripe_api_base
    return (match.group() if match else ""), real


def content_policy(host: str, *, stripe: bool, local_stripe: str = "") -> str:
    """Return the Content-Security-Policy of every page: the own origin, and Stripe's when in use."""
    here = f" ws://{host} wss://{host}" if HOST.match(host) else ""
    scripts, frames, calls = "'self'", "'none'", f"'self'{here}"
    if local_stripe:
        calls += f" {local_stripe}"
    if stripe:
        scripts += " https://js.stripe.com"
        frames = "https://js.stripe.com https://hooks.stripe.com"
        calls += " https://api.stripe.com"
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self'",
            "font-src 'self' data:",
            "img-src 'self' data: blob:",
            f"connect-src {calls}",
            f"frame-src {frames}",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _headers(request: Request, settings: PageSettings) -> dict[str, str]:
    local, stripe = payment_origins(settings)
    host = request.headers.get("host", "")
    return {
        "Content-Security-Policy": content_policy(host, stripe=stripe, local_stripe=local),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(self)",
    }


def _matches(request: Request, etag: str) -> bool:
    wanted = request.headers.get("if-none-match", "")
    return any(tag.strip().removeprefix("W/") == etag for tag in wanted.split(","))


def respond(request: Request, asset: Asset, headers: dict[str, str]) -> Response:
    """Return the asset, compressed if the client accepts it, or 304 if it has it."""
    zipped = asset.gzipped is not None and "gzip" in request.headers.get("accept-encoding", "")
    etag = f'"{asset.etag}-gzip"' if zipped else f'"{asset.etag}"'
    headers = {**headers, "ETag": etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if _matches(request, etag):
        return Response(status_code=304, headers=headers)
    headers["Content-Type"] = asset.content_type
    if zipped and asset.gzipped is not None:
        return Response(asset.gzipped, headers={**headers, "Content-Encoding": "gzip"})
    return Response(asset.body, headers=headers)


def configuration(request: Request, settings: PageSettings) -> Response:
    """Return the facts of the installation that the pages' scripts need."""
    local, real = payment_origins(settings)
    known = {
        "environment": settings.environment,
        "stripePublishableKey": settings.stripe_publishable_key if real or local else None,
        "localStripe": local or None,
    }
    headers = {**_headers(request, settings), "Cache-Control": "no-store"}
    return JSONResponse(known, headers=headers)


def routes(settings: PageSettings, root: Path = WEB_ROOT) -> list[Route]:
    """The routes of the pages, their files under /static, and /config.json.

    A file is read and compressed beside the event loop, once; later requests cost one look at the disk.
    """
    assets = Assets(root)

    def not_found(request: Request) -> Response:
        return Response("Not found", status_code=404, headers=_headers(request, settings))

    def shell(name: str) -> Route:
        async def page(request: Request) -> Response:
            asset = await assets.find(name)
            if asset is None:
                return not_found(request)
            return respond(request, asset, _headers(request, settings))

        page.__name__ = name.removesuffix(".html")
        return Route(SHELLS[name], page, methods=["GET"])

    async def static(request: Request) -> Response:
        asset = await assets.find_public(request.path_params["path"])
        if asset is None:
            return not_found(request)
        return respond(request, asset, _headers(request, settings))

    async def config(request: Request) -> Response:
        return configuration(request, settings)

    ide = [shell("graphiql.html")] if settings.graphiql else []
    return [
        *(shell(name) for name in SHELLS if name != "graphiql.html"),
        *ide,
        Route("/static/{path:path}", static, methods=["GET"]),
        Route("/config.json", config, methods=["GET"]),
    ]


SHELLS = {
    "index.html": "/",
    "event.html": "/events/{event_id}",
    "order.html": "/orders/{order_id}",
    "organise.html": "/organise",
    "graphiql.html": "/graphiql",
}
