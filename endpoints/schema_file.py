"""The schema in its definition language, for code generators and editors."""

import gzip
import hashlib

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PATH = "/schema.graphql"
_CACHE_CONTROL = "public, max-age=300"
_MEDIA_TYPE = "application/graphql; charset=utf-8"


def schema_route(sdl: str) -> Route:
    """/schema.graphql, which changes with a release only; introspection may be off beside it."""
    text = sdl.encode()
    zipped = gzip.compress(text, 9, mtime=0)
    digest = hashlib.sha256(text).hexdigest()[:32]

    async def answer(request: Request) -> Response:
        is_zipped = "gzip" in request.headers.get("accept-encoding", "")
        etag = f'"{digest}-gzip"' if is_zipped else f'"{digest}"'
        headers = {"etag": etag, "cache-control": _CACHE_CONTROL, "vary": "accept-encoding"}
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if is_zipped:
            return Response(zipped, headers={**headers, "content-encoding": "gzip"}, media_type=_MEDIA_TYPE)
        return Response(text, headers=headers, media_type=_MEDIA_TYPE)

    return Route(PATH, answer)
