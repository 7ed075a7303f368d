"""A schema without tickets, for the transport's tests: items, a secret, a counter that ticks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import strawberry

from kit.shared_answers import SharedAnswers
from transport import (
    CacheHint,
    ConnectionInfo,
    GraphQLServer,
    Limits,
    RateLimited,
    ServerOptions,
    Unauthenticated,
)

HINTS: Mapping[str, CacheHint] = {
    "Query.hello": CacheHint(5, 30),
    "Query.item": CacheHint(10, 60),
    "Query.items": CacheHint(10, 60),
    "Query.calls": CacheHint(1),
    "Query.count": CacheHint(1),
    "Query.me": CacheHint(10, 60),
    "Account": CacheHint(10, private=True),
}


@dataclass
class Context:
    """The context of toy resolvers: the caller, and the world that they count in."""

    user: str | None
    world: World
    expires_at: float | None = None


@dataclass
class World:
    """The state that tests watch and change."""

    calls: int = 0
    executions: int = 0
    closed_sources: int = 0
    version: int = 0
    data_version: int = 0
    gate: asyncio.Event | None = None
    ended: set[str] = field(default_factory=set)
    """Names whose tokens are no longer good"""
    pulled: list[int] = field(default_factory=list)
    sources: list[PushedUpdates] = field(default_factory=list)

    def notify(self, *versions: int) -> None:
        """Notify every source of these versions, one after another."""
        for version in versions:
            for source in list(self.sources):
                source.notify(version)


@strawberry.type
class Account:
    """A user's own data."""

    name: str


@strawberry.type
class Item:
    """A thing with things of its kind beneath it."""

    id: strawberry.ID

    @strawberry.field
    def name(self) -> str:
        """What it is called."""
        return f"item {self.id}"

    @strawberry.field
    async def parts(self, first: int = 2) -> list[Item]:
        """Its parts."""
        return [Item(id=strawberry.ID(f"{self.id}.{n}")) for n in range(first)]

    @strawberry.field
    def whole(self) -> Item:
        """What it is part of."""
        return Item(id=strawberry.ID("0"))


@strawberry.type
class Update:
    """One event of a subscription; shared holds what was encoded for it."""

    version: int
    shared: strawberry.Private[SharedAnswers]
    world: strawberry.Private[World]

    @strawberry.field
    async def awaited(self) -> int:
        """Answer when the world's gate is open."""
        if self.world.gate is not None:
            await self.world.gate.wait()
        return self.version

    @strawberry.field
    def padding(self) -> str:
        """Weigh much; fail in the version 13."""
        if self.version == 13:
            raise RuntimeError("the password is swordfish")
        return "x" * 65_536

    @strawberry.field
    def counted(self, times: int = 1) -> int:
        """Count how often an update is executed."""
        self.world.executions += 1
        return self.version * times


class PushedUpdates(AsyncIterator[Update]):
    """An event source that a test drives; a later version replaces an earlier one that waits."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ended = False
        self._pending: int | None = 0
        self._wake: Callable[[], None] = lambda: None
        world.sources.append(self)

    async def __anext__(self) -> Update:
        first = self.take()
        assert first is not None, "it is iterated once"
        return first

    def attach(self, wake: Callable[[], None]) -> PushedUpdates:
        """See `EventSource`."""
        self._wake = wake
        return self

    def take(self) -> Update | None:
        """See `Buffer`."""
        version, self._pending = self._pending, None
        if version is None:
            return None
        return Update(version=version, shared=shared_of(version), world=self.world)

    def notify(self, version: int) -> None:
        """Notify of a version."""
        self._pending = version
        self._wake()

    def end(self) -> None:
        """End the source."""
        self.ended = True
        self._wake()

    def detach(self) -> None:
        """See `EventSource`."""
        self.world.sources.remove(self)

    async def aclose(self) -> None:
        """End it while it is iterated."""
        self.detach()


@strawberry.input
class Filter:
    """An input with a size in it."""

    page_size: int = 20
    tags: list[str] = strawberry.field(default_factory=list)


@strawberry.type
class Query:
    """Reading."""

    @strawberry.field
    def hello(self, name: str = "world") -> str:
        """Greet."""
        return f"hello {name}"

    @strawberry.field
    async def calls(self, info: strawberry.Info[Context, None]) -> int:
        """Count how often this was resolved."""
        world = info.context.world
        world.calls += 1
        if world.gate is not None:
            await world.gate.wait()
        return world.calls

    @strawberry.field
    def count(self, info: strawberry.Info[Context, None], fail: bool = False) -> int | None:
        """Count how often this was resolved, at once."""
        info.context.world.calls += 1
        if fail:
            raise RuntimeError("the password is swordfish")
        return info.context.world.calls

    @strawberry.field
    def item(self, id: strawberry.ID) -> Item | None:  # noqa: A002 - the schema's name
        """One item; none has the id 404."""
        return None if id == "404" else Item(id=id)

    @strawberry.field
    def items(self, first: int = 20, filter: Filter | None = None) -> list[Item]:  # noqa: A002
        """Many items."""
        return [Item(id=strawberry.ID(str(n))) for n in range(min(first, 3))]

    @strawberry.field
    def search(self, input: Filter) -> list[Item]:  # noqa: A002 - the schema's name
        """Many items by filter."""
        return []

    @strawberry.field
    def me(self, info: strawberry.Info[Context, None]) -> Account | None:
        """The caller."""
        return Account(name=info.context.user) if info.context.user else None

    @strawberry.field
    def boom(self) -> str:
        """Fail for a reason that no client may read."""
        raise RuntimeError("the password is swordfish")

    @strawberry.field
    def refused(self) -> str:
        """Refuse for a reason that the client may read."""
        raise RateLimited("Slow down.", retry_after_seconds=7)

    @strawberry.field
    def ratio(self, of: float) -> float:
        """Echo a decimal."""
        return of

    @strawberry.field
    def large(self) -> str:
        """Text worth compressing."""
        return "boxoffice " * 1_000


@strawberry.type
class Mutation:
    """Writing."""

    @strawberry.mutation
    def bump(self, info: strawberry.Info[Context, None]) -> int:
        """Add one."""
        info.context.world.version += 1
        return info.context.world.version


@strawberry.type
class Subscription:
    """Watching."""

    @strawberry.subscription
    async def updates(
        self, info: strawberry.Info[Context, None], count: int = 3, since_version: int = 0
    ) -> AsyncIterator[Update]:
        """Yield count updates after since_version, then end."""
        world = info.context.world
        for number in range(since_version + 1, since_version + 1 + count):
            world.pulled.append(number)
            yield Update(version=number, shared=shared_of(number), world=world)

    @strawberry.subscription
    async def forever(self, info: strawberry.Info[Context, None]) -> AsyncIterator[int]:
        """Yield one number, then nothing until it is closed."""
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            info.context.world.closed_sources += 1

    @strawberry.subscription
    async def watched(
        self, info: strawberry.Info[Context, None], since_version: int = 0
    ) -> AsyncIterator[Update]:
        """Yield two updates after since_version, then nothing until it is closed."""
        for number in (since_version + 1, since_version + 2):
            yield Update(version=number, shared=shared_of(number), world=info.context.world)
        await asyncio.Event().wait()

    @strawberry.subscription(graphql_type=Update)  # type: ignore[untyped-decorator]
    @staticmethod
    def fed(info: strawberry.Info[Context, None]) -> PushedUpdates:
        """Yield version 0, then the versions that the test sends."""
        return PushedUpdates(info.context.world)

    @strawberry.subscription
    async def flood(self, info: strawberry.Info[Context, None]) -> AsyncIterator[str]:
        """Yield as fast as it is read."""
        while True:
            info.context.world.pulled.append(1)
            yield "x" * 65_536

    @strawberry.subscription
    async def broken(self) -> AsyncIterator[int]:
        """Yield one number, then fail."""
        yield 1
        raise RuntimeError("the password is swordfish")


SHARED: dict[int, SharedAnswers] = {}


def shared_of(number: int) -> SharedAnswers:
    """Return the one object that all copies of an update share."""
    return SHARED.setdefault(number, SharedAnswers())


schema = strawberry.Schema(Query, Mutation, Subscription)


def context_factory(world: World, *, at_once: bool = False) -> Any:
    """Make contexts: "Bearer NAME" is NAME, "Bearer NAME for 0.5" for half a second; others are refused."""

    def read(info: ConnectionInfo) -> Context:
        token = info.params.get("Authorization") or info.headers.get("authorization")
        if token is None:
            return Context(None, world)
        if not token.startswith("Bearer ") or token == "Bearer bad":
            raise Unauthenticated("The token is malformed.")
        name, _, seconds = token.removeprefix("Bearer ").partition(" for ")
        if name in world.ended:
            raise Unauthenticated("The token has ended.")
        return Context(name, world, time.time() + float(seconds) if seconds else None)

    async def make(info: ConnectionInfo) -> Context:
        return read(info)

    return read if at_once else make


def rights_of(context: Context) -> Hashable:
    """All callers without a name have the same rights."""
    return context.user or "anonymous"


def expires_at(context: Context) -> float | None:
    """When the token ends."""
    return context.expires_at


@dataclass
class CountingMeters:
    """Counts in plain attributes."""

    open: dict[str, int] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    drops: list[tuple[str, str]] = field(default_factory=list)
    cache: list[tuple[str, str]] = field(default_factory=list)
    fallbacks: list[str] = field(default_factory=list)

    def subscriptions(self, transport: str, change: int) -> None:
        self.open[transport] = self.open.get(transport, 0) + change

    def refused(self, code: str) -> None:
        self.refusals.append(code)

    def limited(self, limit: str) -> None:
        self.limits.append(limit)

    def dropped(self, transport: str, reason: str) -> None:
        self.drops.append((transport, reason))

    def cached(self, cache: str, outcome: str) -> None:
        self.cache.append((cache, outcome))

    def fallback(self, reason: str) -> None:
        self.fallbacks.append(reason)


def make_server(
    world: World | None = None,
    *,
    limits: Limits | None = None,
    options: ServerOptions | None = None,
    at_once: bool = False,
    **parts: Any,
) -> GraphQLServer:
    """Build a server of the toy schema; `at_once` makes contexts without a coroutine."""
    return GraphQLServer(
        schema,
        context_factory(world or World(), at_once=at_once),
        limits=limits,
        options=replace(options or ServerOptions(rights=rights_of), expires_at=expires_at),
        hints=HINTS,
        **parts,
    )
