"""The client of a plain address: what is there is asked at first use, one server or a node of a cluster."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from kit.lua import Argument, Command, CommandBatcher, CommandRunner
from kit.redis_address import Host, RedisAddress
from kit.tasks import stopped
from reservations.cluster import RedisCluster

Send = Callable[[Redis, Sequence[Command]], Awaitable[list[Any]]]

NO_CLUSTER = "names servers that are no cluster: name one by redis://, or Sentinels (redis+sentinel://HOST,HOST/SERVICE)"


class SingleServer:
    """A `CommandRunner` of one server that is no cluster."""

    def __init__(self, client: Redis, send: Send) -> None:
        self.client = client
        self._commands = CommandBatcher(partial(send, client))
        self.map_changed = asyncio.Event()
        """Never set"""

    async def run(self, *command: Argument) -> Any:
        """Return the command's answer. Raises: RedisError."""
        return await self._commands.run(*command)

    async def servers(self) -> Sequence[CommandRunner]:
        """Itself."""
        return [self]

    async def owner_of(self, key: str) -> Redis:
        """The client of the server."""
        return self.client

    def want_refresh(self) -> None:
        """There is nothing to refresh."""

    async def drain(self) -> None:
        """Wait for the commands under way."""
        await self._commands.drain()

    async def aclose(self) -> None:
        """Close every connection."""
        await self.client.aclose()


class DiscoveredRedis:
    """A `CommandRunner` of what a plain address turns out to name.

    A client of one server would be redirected by a cluster's node at nearly every command.
    """

    def __init__(self, address: RedisAddress, client_of: Callable[[Host], Redis], send: Send) -> None:
        self._address = address
        self._client_of = client_of
        self.send = send
        """How a batch is sent to a server"""
        self._found: SingleServer | RedisCluster | None = None
        self._looking: asyncio.Task[SingleServer | RedisCluster] | None = None
        self._unknown = asyncio.Event()

    @property
    def map_changed(self) -> asyncio.Event:
        """Set when a key or a channel has another server; who waits for it clears it."""
        return self._found.map_changed if self._found is not None else self._unknown

    async def run(self, *command: Argument) -> Any:
        """Return the command's answer from the server that has its key.

        Raises:
            RedisError: The server is away, or the answer is an error.
        """
        return await (self._found or await self.found()).run(*command)

    async def servers(self) -> Sequence[CommandRunner]:
        """A runner for every server that has keys."""
        return await (await self.found()).servers()

    async def owner_of(self, key: str) -> Redis:
        """The client of the server that has a key or a channel. Raises: RedisError."""
        return await (await self.found()).owner_of(key)

    def want_refresh(self) -> None:
        """Read a cluster's map of slots soon."""
        if self._found is not None:
            self._found.want_refresh()

    async def drain(self) -> None:
        """Wait for the commands under way: nobody may wait for their answers any more."""
        if self._found is not None:
            await self._found.drain()

    async def aclose(self) -> None:
        """Close every connection."""
        if self._looking is not None:
            await stopped(self._looking)
        if self._found is not None:
            await self._found.aclose()

    async def found(self) -> SingleServer | RedisCluster:
        """The client of what is there; simultaneous callers ask once.

        Raises:
            RedisError: No server answers, or what answers fits the address not.
        """
        if self._found is not None:
            return self._found
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(_without_a_waiter)
        return await asyncio.shield(self._looking)

    async def _look(self) -> SingleServer | RedisCluster:
        clients = {host: self._client_of(host) for host in self._address.hosts}
        try:
            is_cluster = await _first_answer([is_cluster_node(client) for client in clients.values()])
            if not is_cluster and len(clients) == 1:
                self._found = SingleServer(clients.popitem()[1], self._send)
            elif not is_cluster:
                raise ResponseError(NO_CLUSTER)
            elif self._address.database:
                raise ResponseError(
                    f"names database {self._address.database}, but a cluster has database 0 alone"
                )
            else:
                self._found = RedisCluster(self._address.hosts, self._client_of, self._send)
            return self._found
        finally:
            await asyncio.gather(*(client.aclose() for client in clients.values()))

    async def _send(self, client: Redis, commands: Sequence[Command]) -> list[Any]:
        return await self.send(client, commands)


def _without_a_waiter(task: asyncio.Task[Any]) -> None:
    """Take note of a failure although every caller may have gone."""
    if not task.cancelled():
        task.exception()


async def is_cluster_node(client: Redis) -> bool:
    """Whether a server is a node of a cluster. Raises: RedisError."""
    return bool((await client.info("cluster")).get("cluster_enabled"))


async def _first_answer(asked: Sequence[Awaitable[bool]]) -> bool:
    """Return what the first of several servers answers.

    Raises:
        RedisError: None answers; it is the failure of the last.
    """
    tasks = [asyncio.ensure_future(each) for each in asked]
    failure: Exception | None = None
    try:
        for answer in asyncio.as_completed(tasks):
            try:
                return await answer
            except (RedisError, OSError, TimeoutError) as error:
                failure = error
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    raise failure or ResponseError("names no server")
