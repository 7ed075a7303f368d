"""The Redis client: one server or a cluster, with a timeout for every wait."""

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import hiredis
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost

from kit.lua import Command, CommandBatcher
from reservations.cluster import RedisCluster
from reservations.slot_map import Address

_CLUSTERS = {"redis+cluster://": "redis://", "rediss+cluster://": "rediss://"}
_ANSWER_SECONDS = 2.0
_CONNECT_SECONDS = 1.0

_DEFAULT_PORT = 6379

Client = Redis | RedisCluster
Runner = CommandBatcher | RedisCluster


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


class PipelineObserver(Protocol):
    """Receives the measurements of every pipeline."""

    def __call__(self, commands: int, seconds: float, *, answered: bool) -> None:
        """Record the number of commands, the time, and whether the server answered."""


def _ignore(commands: int, seconds: float, *, answered: bool) -> None:
    """Record nothing."""


def connect(url: str, pool_size: int) -> Client:
    """A pooled client of redis:// or rediss://, or of the cluster that redis+cluster:// names the seeds of.

    It retries once; redis-py's own ten retries take longer than any request may. `pool_size` is the number of
    connections to each server.
    """
    for scheme, plain in _CLUSTERS.items():
        if url.startswith(scheme):
            make_client = partial(_client_at, plain + url.removeprefix(scheme), pool_size)
            return RedisCluster(seeds_of(url), make_client, _pipelines(_ignore))
    return connect_server(url, pool_size)


def connect_server(url: str, pool_size: int) -> Redis:
    """A pooled client of one server, whose every wait ends."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=pool_size,
        timeout=_ANSWER_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 1),
    )
    pool.connection_class = _robust(pool.connection_class)
    return Redis.from_pool(pool)


def seeds_of(url: str) -> list[Address]:
    """The nodes that an address names, separated by commas: any of them leads to all others."""
    hosts = urlsplit(url).netloc.rpartition("@")[2]
    seeds = []
    for each in hosts.split(","):
        parts = urlsplit(f"//{each}")
        seeds.append((parts.hostname or "localhost", parts.port or _DEFAULT_PORT))
    return seeds


def _client_at(url: str, pool_size: int, address: Address) -> Redis:
    """A client of one node, with the user, the password and the options of the cluster's address."""
    host, port = address
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    netloc = f"{user}{at}[{host}]:{port}" if ":" in host else f"{user}{at}{host}:{port}"
    return connect_server(urlunsplit(parts._replace(netloc=netloc)), pool_size)


def batcher(client: Client, observe: PipelineObserver = _ignore) -> Runner:
    """What sends simultaneous commands as one pipeline; a cluster does that by itself, node by node."""
    send = _pipelines(observe)
    if isinstance(client, RedisCluster):
        client.send = send
        return client
    return CommandBatcher(partial(send, client))


def _pipelines(observe: PipelineObserver) -> Callable[[Redis, Sequence[Command]], Awaitable[list[Any]]]:
    async def send(client: Redis, commands: Sequence[Command]) -> list[Any]:
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

    return send
