"""Documents of an event: compressed once, with a validator, for everybody unless the event is a draft."""

import gzip
import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import brotli
import orjson
from starlette.requests import Request
from starlette.responses import Response

from domain.errors import NotFound
from domain.states import EventState
from domain.viewer import Scope
from services.context import ServiceContext, reading
from services.identity.tokens import Tokens

# Of a map of 60,000 seats gzip 9 takes five times as long as 6, for half a percent.
_GZIP, _BROTLI = 6, 9


@dataclass(frozen=True, slots=True)
class Document:
    """A layout's document: plain, gzip and brotli, with one validator."""

    plain: bytes
    gzip: bytes
    brotli: bytes
    etag: str
    event_id: UUID

    @property
    def size_bytes(self) -> int:
        """The bytes of all codings."""
        return len(self.plain) + len(self.gzip) + len(self.brotli)


def compressed(content: dict[str, Any], event_id: UUID) -> Document:
    """Return a document in every coding."""
    plain = orjson.dumps(content)
    return Document(
        plain,
        gzip.compress(plain, _GZIP, mtime=0),
        brotli.compress(plain, quality=_BROTLI),
        hashlib.sha256(plain).hexdigest()[:32],
        event_id,
    )


class Readers:
    """Decides who may read the documents of an event: everybody, but of a draft its organiser alone."""

    def __init__(self, context: ServiceContext, tokens: Tokens) -> None:
        self._context = context
        self._tokens = tokens

    async def is_public(self, request: Request, event_id: UUID) -> bool:
        """Return whether everybody may read; False where the sender of this request may and others may not.

        Raises:
            NotFound: It is a draft, and the request is not its organiser's.
            Unauthenticated: It is a draft, and the token is not valid.
        """
        sale = await reading(self._context.sales.get(event_id))
        if sale is not None and sale.state != EventState.DRAFT:
            return True
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        viewer = await self._tokens.verify(token.strip()) if scheme.lower() == "bearer" else None
        if viewer is None or sale is None or Scope.ORGANISE not in viewer.scopes:
            raise NotFound("There is no such event.")
        if sale.organiser_id != viewer.user_id:
            raise NotFound("There is no such event.")
        return False


def document_answer(request: Request, document: Document, lifetime: str, *, public: bool) -> Response:
    """Return a document in a coding that the client takes, or 304 where it has it.

    `lifetime` is the Cache-Control of a public document; others are not kept anywhere.
    """
    accepted = request.headers.get("accept-encoding", "")
    coding = next((name for name in ("br", "gzip") if name in accepted), "")
    etag = f'"{document.etag}{"-" + coding if coding else ""}"'
    headers = {"etag": etag, **lasting(lifetime, public=public)}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if coding:
        headers["content-encoding"] = coding
    body = {"br": document.brotli, "gzip": document.gzip}.get(coding, document.plain)
    return Response(body, headers=headers, media_type="application/json")


def lasting(lifetime: str, *, public: bool) -> dict[str, str]:
    """Return the headers of an answer that everybody may read and keep, or that its reader alone may read."""
    if not public:
        return {
            "cache-control": "private, no-store",
            "vary": "accept-encoding, authorization",
            "x-content-type-options": "nosniff",
        }
    return {
        "cache-control": lifetime,
        "vary": "accept-encoding",
        "x-content-type-options": "nosniff",
        "access-control-allow-origin": "*",
    }
