"""The Redis client, of one server, a cluster or the primary of Sentinels, with a timeout for every wait."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import hiredis
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection, Connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost

from kit.lua import Command, CommandBatcher
from kit.redis_address import Host, RedisAddress, RedisKind, Tls
from reservations.cluster import RedisCluster
from reservations.discovery import DiscoveredRedis
from reservations.sentinels import SentinelPrimary

_ANSWER_SECONDS = 2.0
_CONNECT_SECONDS = 1.0

Client = DiscoveredRedis | RedisCluster
Runner = CommandBatcher | DiscoveredRedis | RedisCluster


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


class _PlainConnection(_RobustConnection, Connection):
    """A connection without encryption."""


class _TlsConnection(_RobustConnection, Connection):
    """A connection by TLS.

    redis-py's own one trusts the system's authorities beside those of the CA file.
    """

    def __init__(self, *, tls: Tls, **options: Any) -> None:
        super().__init__(**options)
        self._tls = tls

    def _connection_arguments(self) -> Mapping[str, Any]:
        return {**super()._connection_arguments(), "ssl": self._tls.context()}


class PipelineObserver(Protocol):
    """Receives the measurements of every pipeline."""

    def __call__(self, commands: int, seconds: float, *, answered: bool) -> None:
        """Record the number of commands, the time, and whether the server answered."""


def _ignore(commands: int, seconds: float, *, answered: bool) -> None:
    """Record nothing."""


def connect(url: str, pool_size: int) -> Client:
    """A pooled client of what an address names; `pool_size` is the number of connections to each server.

    It retries once; redis-py's own ten retries take longer than any request may.

    Raises:
        ValueError: The address does not fit.
    """
    address = RedisAddress.parse(url)
    client_of, send = partial(server_client, address, pool_size), _pipelines(_ignore)
    match address.kind:
        case RedisKind.CLUSTER:
            return RedisCluster(address.hosts, client_of, send)
        case RedisKind.SENTINEL:
            return SentinelPrimary(
                address.service, address.hosts, sentinel_client_of(address), client_of, send
            )
        case RedisKind.SERVER:
            return DiscoveredRedis(address, client_of, send)


def connect_server(url: str, pool_size: int) -> Redis:
    """A pooled client of the one server that an address names, whose every wait ends."""
    address = RedisAddress.parse(url)
    return server_client(address, pool_size, address.hosts[0])


def server_client(address: RedisAddress, pool_size: int, host: Host) -> Redis:
    """A pooled client of one server, with the user, the certificates and the options of an address."""
    options: dict[str, Any] = {"tls": address.tls} if address.tls else {}
    options |= {"protocol": address.protocol} if address.protocol else {}
    pool = BlockingConnectionPool(
        connection_class=_TlsConnection if address.tls else _PlainConnection,
        host=host[0],
        port=host[1],
        username=address.username or None,
        password=address.password or None,
        db=address.database,
        max_connections=pool_size,
        timeout=_ANSWER_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 1),
        **options,
    )
    return Redis.from_pool(pool)


def sentinel_client_of(address: RedisAddress) -> Callable[[Host], Redis]:
    """What makes the client of one Sentinel, which has users of its own."""
    as_sentinel = RedisAddress(
        RedisKind.SERVER,
        address.hosts,
        username=address.sentinel_username,
        password=address.sentinel_password,
        tls=address.tls,
        protocol=address.protocol,
    )
    return partial(server_client, as_sentinel, 1)


def batcher(client: Client | Redis, observe: PipelineObserver = _ignore) -> Runner:
    """What sends simultaneous commands as one pipeline, to each server of a cluster its own."""
    send = _pipelines(observe)
    if isinstance(client, Redis):
        return CommandBatcher(partial(send, client))
    client.send = send
    return client


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
