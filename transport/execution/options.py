"""The behaviour of a server, as the composition root sets it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from math import inf
from typing import Any

from transport.documents.cost import CostModel
from transport.documents.operation import Operation
from transport.protocol.payload import Payload
from transport.protocol.ports import ConnectionCounts, ConnectionInfo, NoOtherProcess, Rights

Variables = Mapping[str, Any]


def share_nothing(_context: Any) -> Hashable | None:
    """Say that no two callers share an answer."""
    return None


def share_no_event(_context: Any, _operation: Operation) -> Hashable | None:
    """Let the contexts' rights decide whether an event's payload is shared."""
    return None


def same_context(context: Any) -> Any:
    """Use one context for every event of a subscription."""
    return context


def any_origin(_info: ConnectionInfo) -> bool:
    """Accept WebSocket connections from any page."""
    return True


def nothing_personal(_context: Any) -> bool:
    """Rely on the hints for everything that is personal."""
    return False


def always_true(_context: Any) -> float:
    """Let the hints alone decide for how long an answer may be cached."""
    return inf


def version_of(event: Any) -> str | None:
    """Name an event by its version, for Last-Event-ID."""
    version = getattr(event, "version", None)
    return None if version is None else str(version)


@dataclass(frozen=True, slots=True)
class Allowance:
    """A caller's rate-limit budget, in the cost of operations."""

    budget: int
    remaining: int
    reset_seconds: int
    """Until the budget is full again."""


async def admit_all(_context: Any, _operation: Operation, _cost: int) -> Allowance | None:
    """Let every operation run."""
    return None


async def charge_nothing(_context: Any, _requests: int, _cost: int) -> None:
    """Let everything run that is no operation."""


def check_nothing(_context: Any, _cost: int) -> None:
    """Refuse nobody beforehand."""


async def open_freely(_info: ConnectionInfo) -> None:
    """Let every connection open."""


def no_network(_info: ConnectionInfo) -> Hashable | None:
    """Count no network's connections."""
    return None


def never_expires(_context: Any) -> float | None:
    """Let connections stay open without end."""
    return None


def unwatched(_operation: Operation, work: Awaitable[Payload]) -> Awaitable[Payload]:
    """Run an operation unobserved."""
    return work


def one_version(_context: Any, _operation: Operation, _variables: Variables) -> Hashable:
    """Let the time to live alone decide when a cached answer expires."""
    return None


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The switches of a server, and the functions that the application provides."""

    introspection: bool = True
    suggestions: bool = True
    trusted_documents_only: bool = False
    trusted_documents: Mapping[str, str] | Iterable[str] = ()
    compiled: bool = False
    """Run operations by the compiled executor where it supports them."""
    immutable_types: frozenset[type] = frozenset()
    """Types of rows whose attributes never change, so that they need to be written only once a row."""

    costs: CostModel = field(default_factory=CostModel)
    rights: Rights = share_nothing
    """Two contexts of equal rights share subscription payloads and cached public answers."""
    event_rights: Callable[[Any, Operation], Hashable | None] = share_no_event
    """Asked first for subscriptions: the rights under which an operation's events are shared by
    callers whose rights differ elsewhere."""
    is_personal: Callable[[Any], bool] = nothing_personal
    """Asked after execution: did this context read anything personal?"""
    true_seconds: Callable[[Any], float] = always_true
    """Asked after execution: for how many seconds is everything true that this context read? No cache
    keeps the answer for longer."""
    event_context: Callable[[Any], Any] = same_context
    """Makes a context for one event out of the subscription's, so that loaders forget."""
    admit: Callable[[Any, Operation, int], Awaitable[Allowance | None]] = admit_all
    """Called before execution with the cost; returns the remaining budget, or raises RateLimited."""
    charge: Callable[[Any, int, int], Awaitable[None]] = charge_nothing
    """Called with requests and cost for what is no operation: a document that is not known or is refused,
    an event stream that is reserved; raises RateLimited."""
    check: Callable[[Any, int], None] = check_nothing
    """Called before a document that is not known is parsed, with the least that it may cost: raises
    RateLimited where the caller has not so much left."""
    opening: Callable[[ConnectionInfo], Awaitable[None]] = open_freely
    """Called before a socket or a reserved event stream is opened; raises RateLimited."""
    network: Callable[[ConnectionInfo], Hashable | None] = no_network
    """The network for which a connection counts; None where it counts for none."""
    connection_counts: ConnectionCounts = field(default_factory=NoOtherProcess)
    """Counts every connection, and answers how many its network has at other processes."""
    watch: Callable[[Operation, Awaitable[Payload]], Awaitable[Payload]] = unwatched
    """Wraps the execution of queries and mutations, to time and trace it."""
    expires_at: Callable[[Any], float | None] = never_expires
    """When a context's credentials end, in seconds of the epoch: its connection or operation ends then."""
    slot: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    """Entered by queries and mutations that come over a WebSocket or an event stream; raises Overloaded."""
    data_version: Callable[[Any, Operation, Variables], Hashable] = one_version
    """Part of the response cache's key: changes when the data that a context reads for an operation do."""
    response_ttl_s: float = 1.0
    """The maximum time to live of a cached answer."""
    origin_allowed: Callable[[ConnectionInfo], bool] = any_origin
    event_id: Callable[[Any], str | None] = version_of
    resume_argument: str = "sinceVersion"
    """The root argument that Last-Event-ID sets, where the subscription has it."""
