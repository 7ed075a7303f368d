"""The server: one ASGI application for HTTP, event streams and WebSocket."""

from __future__ import annotations

import strawberry

from .answering import Answering
from .asgi import Receive, Scope, Send
from .buses import MemoryBus
from .direct import DirectAnswers, RawHeader, Watch
from .documents import DocumentCache
from .engine import Engine
from .gate import Door
from .hints import Hints
from .http import HttpTransport
from .keepalive import Heartbeat
from .limits import Limits
from .masking import mask_error
from .options import ServerOptions
from .payload import PayloadEncoder
from .persisted import MemoryDocumentStore, PersistedDocuments, manifest_of
from .ports import ContextFactory, DocumentStore, ErrorMapper, MessageBus, Meters, NoMeters
from .response_cache import ResponseCache
from .sse import EventStreams
from .websocket import WebSocketTransport


class GraphQLServer:
    """Serves a Strawberry schema at the path where it is mounted.

    Strawberry's schema extensions and custom operation directives are not run: what they do is
    done here once for every transport. Resolvers, permissions and field extensions run as ever.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        context_factory: ContextFactory,
        *,
        error_mapper: ErrorMapper = mask_error,
        documents: DocumentStore | None = None,
        bus: MessageBus | None = None,
        limits: Limits | None = None,
        hints: Hints | None = None,
        meters: Meters | None = None,
        options: ServerOptions | None = None,
    ) -> None:
        limits = limits or Limits()
        options = options or ServerOptions()
        meters = meters or NoMeters()
        self._heartbeat = Heartbeat(limits.keep_alive_seconds)
        engine = Engine(
            schema,
            DocumentCache(schema._schema, limits, hints or {}, meters, options),
            PersistedDocuments(
                documents or MemoryDocumentStore(limits.documents),
                manifest_of(options.trusted_documents),
                options.trusted_documents_only,
            ),
            PayloadEncoder(error_mapper),
            limits,
            options,
            meters,
        )
        self._streams = EventStreams(
            engine, context_factory, bus or MemoryBus(), self._heartbeat, limits, meters
        )
        cache = ResponseCache(limits.responses, limits.response_bytes, meters)
        answering = Answering(engine, cache, options)
        self._http = HttpTransport(engine, answering, self._streams, context_factory, limits, meters)
        self._websocket = WebSocketTransport(
            engine, context_factory, self._heartbeat, limits, options, meters
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request or one WebSocket."""
        if scope["type"] == "websocket":
            await self._websocket.handle(scope, receive, send)
        elif scope["type"] == "http":
            await self._http.handle(scope, receive, send)

    def direct(
        self, door: Door, added: tuple[RawHeader, ...] = (), watch: Watch | None = None
    ) -> DirectAnswers:
        """The short way to the same answers: it lets in, adds headers and counts as middleware would have."""
        return DirectAnswers(self._http, door, added, watch)

    async def aclose(self) -> None:
        """Tell subscribers to reconnect: WebSocket close 1012, event streams complete."""
        self._streams.close()
        await self._websocket.aclose()
        await self._heartbeat.aclose()
