"""A GraphQL server that knows nothing of its schema: HTTP, WebSocket and event streams.

    server = GraphQLServer(
        schema,                                   # a strawberry.Schema
        context_factory=make_context,             # async (ConnectionInfo) -> context
        documents=LayeredDocumentStore(MemoryDocumentStore(), shared_store),
        bus=bus,                                  # between the processes behind one port
        hints={"Query.event": CacheHint(5, 30), "User": CacheHint(private=True)},
        options=ServerOptions(introspection=False, suggestions=False, rights=rights_of),
    )
    app = Starlette(routes=[Route("/graphql", server), WebSocketRoute("/graphql", server)])
    await server.aclose()                         # clients are told to reconnect

make_context raises Unauthenticated for a token that is not good: 401, or WebSocket close 4403.
Resolvers may raise any Refused; everything else is masked and logged under a log id.
"""

from .admission import Admission, GateLimits
from .buses import MemoryBus
from .cost import CostModel
from .errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    Overloaded,
    RateLimited,
    Refused,
    Unauthenticated,
    Unavailable,
)
from .gate import AdmissionGate
from .hints import CacheHint, CachePolicy
from .limits import Limits
from .masking import mask_error
from .operation import Operation
from .options import Allowance, ServerOptions
from .persisted import LayeredDocumentStore, MemoryDocumentStore, manifest_of
from .ports import ConnectionInfo, DocumentStore, MessageBus, Meters, NoMeters
from .security_headers import SecurityHeaders
from .server import GraphQLServer

__all__ = [
    "Admission",
    "AdmissionGate",
    "Allowance",
    "BadRequest",
    "CacheHint",
    "CachePolicy",
    "Conflict",
    "ConnectionInfo",
    "CostModel",
    "DocumentStore",
    "Forbidden",
    "GateLimits",
    "GraphQLServer",
    "LayeredDocumentStore",
    "Limits",
    "MemoryBus",
    "MemoryDocumentStore",
    "MessageBus",
    "Meters",
    "NoMeters",
    "NotFound",
    "Operation",
    "Overloaded",
    "RateLimited",
    "Refused",
    "SecurityHeaders",
    "ServerOptions",
    "Unauthenticated",
    "Unavailable",
    "manifest_of",
    "mask_error",
]
