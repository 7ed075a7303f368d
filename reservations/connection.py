"""The Redis client: one node or a cluster, with a timeout for every wait."""

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

_CLUSTERS = {"redis+cluster://": "redis://", "rediss+cluster://": "rediss://"}
_ANSWER_SECONDS = 2.0
_CONNECT_SECONDS = 1.0

Client = Redis | RedisCluster


class _RobustConnection(AbstractConnection):
    """A connection that packs pipelines in C and reports every loss as redis-py's ConnectionError.

    When the server closes the connection between two writes, uvloop raises a RuntimeError (asyncio's own loop
    does not), which redis-py neither retries nor converts. When another task closes the connection, it has no
    writer and the next write raises an AttributeError.
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


def _robust(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """The connection class of the URL (plain, TLS or a socket file) with the losses of _RobustConnection."""
    return type(f"Robust{kind.__name__}", (_RobustConnection, kind), {})


def connect(url: str, pool_size: int) -> Client:
    """A pooled client that retries once; redis-py's own ten retries take longer than any request may."""
    retry = Retry(NoBackoff(), 1)
    for scheme, plain in _CLUSTERS.items():
        if url.startswith(scheme):
            return _cluster(plain + url.removeprefix(scheme), retry)
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=pool_size,
        timeout=_ANSWER_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_keepalive=True,
        retry=retry,
    )
    pool.connection_class = _robust(pool.connection_class)
    return Redis.from_pool(pool)


def _cluster(url: str, retry: Retry) -> RedisCluster:
    cluster = RedisCluster.from_url(
        url,
        retry=retry,
        socket_timeout=_ANSWER_SECONDS,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_keepalive=True,
        # The sales of the other nodes go on while one node does not answer.
        require_full_coverage=False,
    )
    # The start-up nodes exist already; redis-py makes the other ones with these arguments.
    kind = cluster.nodes_manager.connection_kwargs
    kind["connection_class"] = _robust(kind["connection_class"])
    for node in cluster.nodes_manager.startup_nodes.values():
        node.connection_class = kind["connection_class"]
    return cluster


class PipelineObserver(Protocol):
    """Receives the measurements of every pipeline."""

    def __call__(self, commands: int, seconds: float, *, answered: bool) -> None:
        """Record the number of commands, the time, and whether the server answered."""


def _ignore(commands: int, seconds: float, *, answered: bool) -> None:
    """Record nothing."""


def batcher(client: Client, observe: PipelineObserver = _ignore) -> CommandBatcher:
    """A batcher that sends simultaneous commands as one pipeline of the client."""

    async def send(commands: Sequence[Command]) -> list[Any]:
        pipeline = client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        began, answered = time.perf_counter(), False
        try:
            answers: list[Any] = await pipeline.execute(raise_on_error=False)
            answered = True
        finally:
            observe(len(commands), time.perf_counter() - began, answered=answered)
        return answers

    if isinstance(client, RedisCluster):
        return CommandBatcher(send, lambda: _nodes(client))
    return CommandBatcher(send)


class _Node:
    """One primary of a cluster, for commands without a key."""

    def __init__(self, node: ClusterNode) -> None:
        self._node = node

    async def run(self, *command: Argument) -> Any:
        return await self._node.execute_command(*command)

    async def servers(self) -> Sequence[CommandRunner]:
        return [self]


async def _nodes(cluster: RedisCluster) -> Sequence[CommandRunner]:
    await cluster.initialize()  # only the first call does anything; before it no node is known
    return [_Node(node) for node in cluster.get_primaries()]
