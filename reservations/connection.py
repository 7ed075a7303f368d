"""Connecting to Redis: one node or a cluster, with every wait bounded."""

from collections.abc import Sequence
from typing import Any

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


def batcher(client: Client) -> CommandBatcher:
    """Runs commands in pipelines of what is in flight at the same moment."""

    async def send(commands: Sequence[Command]) -> list[Any]:
        pipeline = client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        answers: list[Any] = await pipeline.execute(raise_on_error=False)
        return answers

    return CommandBatcher(send)
