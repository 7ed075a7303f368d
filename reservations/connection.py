"""Connecting to Redis: one node or a cluster, with every wait bounded."""

import time
from collections.abc import Sequence
from typing import Any, Protocol

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from kit.lua import Command, CommandBatcher

_CLUSTER = "redis+cluster://"
_ANSWER_SECONDS = 2.0
_CONNECT_SECONDS = 1.0

Client = Redis | RedisCluster


def connect(url: str, pool_size: int) -> Client:
    """A pooled client that tries once more at most; redis-py's own ten tries outlast any request."""
    retry = Retry(NoBackoff(), 1)
    if url.startswith(_CLUSTER):
        return RedisCluster.from_url(
            "redis://" + url.removeprefix(_CLUSTER), retry=retry, socket_timeout=_ANSWER_SECONDS
        )
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=pool_size,
        timeout=_ANSWER_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_keepalive=True,
        retry=retry,
    )
    return Redis(connection_pool=pool)


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

    return CommandBatcher(send)
