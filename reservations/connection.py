"""Connecting to Redis: one node or a cluster, with every wait bounded."""

import time
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import hiredis
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost

from kit.lua import Argument, Command, CommandBatcher, CommandRunner

_CLUSTER = "redis+cluster://"
_ANSWER_SECONDS = 2.0
_CONNECT_SECONDS = 1.0

Client = Redis | RedisCluster


class _Steady(AbstractConnection):
    """A connection that packs pipelines in C, and is lost in one way only: with redis-py's ConnectionError.

    Where the server is gone between two writes, uvloop raises a RuntimeError (asyncio's own loop does not);
    redis-py takes that for a fault of the program, and neither tries again nor says what it is. Nor does it
    where another task closes the connection meanwhile, which leaves it without a writer.
    """

    def pack_commands(self, commands: Iterable[Iterable[Any]]) -> list[bytes]:
        return [hiredis.pack_command(tuple(command)) for command in commands]

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        try:
            await super().send_packed_command(command, check_health)
        except (RuntimeError, AttributeError) as error:
            raise ConnectionLost(str(error)) from error


def _steady(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """The same kind of connection (the address decides: plain, TLS, a socket file), but steady."""
    return type(f"Steady{kind.__name__}", (_Steady, kind), {})


def connect(url: str, pool_size: int) -> Client:
    """A pooled client that tries once more at most; redis-py's own ten tries outlast any request."""
    retry = Retry(NoBackoff(), 1)
    if url.startswith(_CLUSTER):
        return _cluster("redis://" + url.removeprefix(_CLUSTER), retry)
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=pool_size,
        timeout=_ANSWER_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_keepalive=True,
        retry=retry,
    )
    pool.connection_class = _steady(pool.connection_class)
    return Redis(connection_pool=pool)


def _cluster(url: str, retry: Retry) -> RedisCluster:
    cluster = RedisCluster.from_url(
        url,
        retry=retry,
        socket_timeout=_ANSWER_SECONDS,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_keepalive=True,
        # The events of the other nodes go on while one node is away.
        require_full_coverage=False,
    )
    # The nodes to ask first are made already, the others are as they are found.
    kind = cluster.nodes_manager.connection_kwargs
    kind["connection_class"] = _steady(kind["connection_class"])
    for node in cluster.nodes_manager.startup_nodes.values():
        node.connection_class = kind["connection_class"]
    return cluster


class Watch(Protocol):
    """Is told of every pipeline."""

    def __call__(self, commands: int, seconds: float, *, answered: bool) -> None:
        """How many commands it had, how long it took, and whether the server answered."""


def _unwatched(commands: int, seconds: float, *, answered: bool) -> None:
    """Nobody looks."""


def batcher(client: Client, watch: Watch = _unwatched) -> CommandBatcher:
    """Runs commands in pipelines of what is in flight at the same moment."""

    async def send(commands: Sequence[Command]) -> list[Any]:
        pipeline = client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        began, answered = time.perf_counter(), False
        try:
            answers: list[Any] = await pipeline.execute(raise_on_error=False)
            answered = True
        finally:
            watch(len(commands), time.perf_counter() - began, answered=answered)
        return answers

    if isinstance(client, RedisCluster):
        return CommandBatcher(send, lambda: _nodes(client))
    return CommandBatcher(send)


class _Node:
    """One primary of a cluster, for commands about a server."""

    def __init__(self, node: ClusterNode) -> None:
        self._node = node

    async def run(self, *command: Argument) -> Any:
        return await self._node.execute_command(*command)

    async def servers(self) -> Sequence[CommandRunner]:
        return [self]


async def _nodes(cluster: RedisCluster) -> Sequence[CommandRunner]:
    await cluster.initialize()  # once; it knows no node before
    return [_Node(node) for node in cluster.get_primaries()]
