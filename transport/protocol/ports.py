"""The protocols of what the composition root provides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from inspect import iscoroutine
from typing import Any, Protocol, runtime_checkable

from graphql import GraphQLError


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """The caller: header names are in lower case.

    Of the payload of connection_init, `params` holds the authorization alone.
    """

    headers: Mapping[str, str]
    client: str | None = None
    transport: str = "http"
    params: Mapping[str, Any] = field(default_factory=dict)


ContextFactory = Callable[[ConnectionInfo], Any]
"""Makes the context of one operation, or a coroutine of it; raises Unauthenticated for a token that is not
valid. Where it returns no coroutine, cached answers take the fast path."""


async def as_awaited(context: Any) -> Any:
    """The context that a factory returned, awaited where it is a coroutine."""
    return await context if iscoroutine(context) else context


ErrorMapper = Callable[[GraphQLError], dict[str, Any]]
"""Turns an error into its public form, and masks faults."""

Rights = Callable[[Any], Hashable | None]
"""Contexts of equal rights may share an answer; None is never shared."""


class ConnectionCounts(Protocol):
    """The open connections of networks at all processes of an installation."""

    def change(self, network: Hashable, by: int) -> None:
        """Count connections that this process opened or closed."""

    def elsewhere(self, network: Hashable) -> int:
        """Return how many connections a network has at the other processes."""


class NoOtherProcess:
    """The connection counts of a process that stands alone."""

    def change(self, network: Hashable, by: int) -> None:
        """Tell nobody."""

    def elsewhere(self, network: Hashable) -> int:
        """Return 0."""
        return 0


class DocumentStore(Protocol):
    """Persisted documents by the lower-case hex of their sha256."""

    async def get(self, document_hash: str) -> str | None:
        """Return the document's text, or None where it is not registered."""

    async def put(self, document_hash: str, text: str) -> None:
        """Register a text whose hash was checked."""


@runtime_checkable
class LocalDocumentStore(Protocol):
    """A document store that holds some documents in this process."""

    def local(self, document_hash: str) -> str | None:
        """Return the text of a document in this process, without waiting."""


class MessageBus(Protocol):
    """Carries messages between the processes behind one port; losing one is allowed."""

    async def publish(self, channel: str, message: bytes) -> None:
        """Send to every subscriber of the channel, this process included."""

    def subscribe(self, channel: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Receive while the context is entered."""


class Meters(Protocol):
    """Counts what operators watch."""

    def subscriptions(self, transport: str, change: int) -> None:
        """Add 1 or -1 to the open subscriptions of websocket, sse or sse_single."""

    def refused(self, code: str) -> None:
        """Count a refusal by its extensions.code."""

    def limited(self, limit: str) -> None:
        """Count a refusal by the name of the limit that was reached."""

    def dropped(self, transport: str, reason: str) -> None:
        """Count a client that was dropped: slow or silent."""

    def cached(self, cache: str, outcome: str) -> None:
        """Count a hit, miss or shared result of the document or response cache."""

    def fallback(self, reason: str) -> None:
        """Count an operation that the compiled executor left to graphql-core."""


class NoMeters:
    """Counts nothing."""

    def subscriptions(self, transport: str, change: int) -> None:
        """Ignore it."""

    def refused(self, code: str) -> None:
        """Ignore it."""

    def limited(self, limit: str) -> None:
        """Ignore it."""

    def dropped(self, transport: str, reason: str) -> None:
        """Ignore it."""

    def cached(self, cache: str, outcome: str) -> None:
        """Ignore it."""

    def fallback(self, reason: str) -> None:
        """Ignore it."""
