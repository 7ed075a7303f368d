"""A GraphQL server for any Strawberry schema: HTTP, WebSocket and event streams.

    server = GraphQLServer(
        schema,                                   # a strawberry.Schema
        context_factory=make_context,             # async (ConnectionInfo) -> context
        documents=LayeredDocumentStore(MemoryDocumentStore(), shared_store),
        bus=bus,                                  # between the processes behind one port
        hints={"Query.event": CacheHint(5, 30), "User": CacheHint(private=True)},
        options=ServerOptions(introspection=False, suggestions=False, rights=rights_of),
    )
    app = Starlette(routes=[Route("/graphql", server), WebSocketRoute("/graphql", server)])
    await server.aclose()                         # clients reconnect elsewhere

make_context raises Unauthenticated for an invalid token: 401, or WebSocket close 4403.
Resolvers may raise any GraphQLHTTPError; everything else is masked and logged under a log id.
"""

from .documents.cache import digest_of
from .documents.cost import CostModel
from .documents.hints import CacheHint, CachePolicy
from .documents.operation import Operation
from .documents.persisted import LayeredDocumentStore, MemoryDocumentStore, manifest_of
from .execution.options import Allowance, ServerOptions, admit_all
from .http.connections import bounded_http_protocol, peer_address
from .http.cross_origin import CrossOrigin
from .http.fast_path import FastPath
from .http.observation import Observation, Observer
from .http.pipeline import Pipeline
from .overload.load_shedder import LoadLimits, LoadShedder
from .protocol.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    GraphQLHTTPError,
    NotFound,
    Overloaded,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from .protocol.limits import Limits
from .protocol.masking import mask_error
from .protocol.payload import Payload
from .protocol.ports import ConnectionInfo, DocumentStore, MessageBus, Meters, NoMeters
from .server import GraphQLServer
from .sse.buses import MemoryBus
from .websocket.protocol import WebSocketProtocol

__all__ = [
    "Allowance",
    "BadRequest",
    "CacheHint",
    "CachePolicy",
    "Conflict",
    "ConnectionInfo",
    "CostModel",
    "CrossOrigin",
    "DocumentStore",
    "FastPath",
    "Forbidden",
    "GraphQLHTTPError",
    "GraphQLServer",
    "LayeredDocumentStore",
    "Limits",
    "LoadLimits",
    "LoadShedder",
    "MemoryBus",
    "MemoryDocumentStore",
    "MessageBus",
    "Meters",
    "NoMeters",
    "NotFound",
    "Observation",
    "Observer",
    "Operation",
    "Overloaded",
    "Payload",
    "Pipeline",
    "RateLimited",
    "ServerOptions",
    "Unauthenticated",
    "Unavailable",
    "WebSocketProtocol",
    "admit_all",
    "bounded_http_protocol",
    "digest_of",
    "manifest_of",
    "mask_error",
    "peer_address",
]
