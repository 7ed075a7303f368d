"""The server: one ASGI application for HTTP, event streams and WebSocket."""

from __future__ import annotations

import strawberry

from .documents.cache import DocumentCache
from .documents.hints import Hints
from .documents.persisted import MemoryDocumentStore, PersistedDocuments, manifest_of
from .execution.engine import Engine
from .execution.options import ServerOptions
from .http.fast_path import FastPath
from .http.handler import HttpHandler
from .http.pipeline import Pipeline
from .overload.memory_budget import DocumentsInUse, MemoryBudget
from .overload.open_connections import OpenConnections
from .protocol.asgi import Receive, Scope, Send
from .protocol.keepalive import Heartbeat
from .protocol.limits import Limits
from .protocol.masking import mask_error
from .protocol.payload import PayloadEncoder
from .protocol.ports import ContextFactory, DocumentStore, ErrorMapper, MessageBus, Meters, NoMeters
from .responses.answering import Answering
from .responses.cache import ResponseCache
from .sse.buses import MemoryBus
from .sse.handler import EventStreams
from .websocket.handler import WebSocketTransport


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
        persisted = _persisted_documents(documents, limits, options)
        cache = _document_cache(schema, limits, hints or {}, meters, options)
        engine = Engine(schema, cache, persisted, PayloadEncoder(error_mapper), limits, options, meters)
        connections = OpenConnections(
            limits.connections_per_network, options.network, options.connection_counts, meters
        )
        memory = MemoryBudget(limits.held_bytes, limits.held_bytes_per_network)
        bounds = (connections, memory, DocumentsInUse(memory))
        self._streams = EventStreams(
            engine, context_factory, bus or MemoryBus(), self._heartbeat, limits, meters, *bounds
        )
        answering = Answering(engine, ResponseCache(limits.responses, limits.response_bytes, meters), options)
        self._http = HttpHandler(engine, answering, self._streams, context_factory, limits, meters)
        self._websocket = WebSocketTransport(
            engine, context_factory, self._heartbeat, limits, options, meters, *bounds
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request or one WebSocket."""
        if scope["type"] == "websocket":
            await self._websocket.handle(scope, receive, send)
        elif scope["type"] == "http":
            await self._http.handle(scope, receive, send)

    def fast_path(self, pipeline: Pipeline, path: str) -> FastPath:
        """The second entrance to the same answers, for requests at `path`."""
        return FastPath(self._http, pipeline, path)

    async def aclose(self) -> None:
        """Make subscribers reconnect: WebSocket close 1012, event streams end without complete."""
        self._streams.close()
        await self._websocket.aclose()
        await self._heartbeat.aclose()


def _persisted_documents(
    documents: DocumentStore | None, limits: Limits, options: ServerOptions
) -> PersistedDocuments:
    return PersistedDocuments(
        documents or MemoryDocumentStore(limits.documents),
        manifest_of(options.trusted_documents),
        options.trusted_documents_only,
    )


def _document_cache(
    schema: strawberry.Schema, limits: Limits, hints: Hints, meters: Meters, options: ServerOptions
) -> DocumentCache:
    return DocumentCache(
        schema._schema,
        limits,
        hints,
        meters,
        costs=options.costs,
        introspection=options.introspection,
        suggestions=options.suggestions,
    )
