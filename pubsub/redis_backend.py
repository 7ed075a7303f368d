"""A broadcaster backend for Redis that reconnects, and reports when messages may have been lost.

Channels are sharded: the server that has the slot of a channel is the only one that hears its messages, so a
cluster's pub/sub grows with its nodes. On a single server the same commands do the same as plain ones.
"""

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from broadcaster import Event
from broadcaster._backends.base import BroadcastBackend
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.errors import Unavailable
from kit.tasks import stopped
from pubsub.server_subscriptions import ServerSubscriptions

log = logging.getLogger("boxoffice.pubsub")

# The message that replaces those that may have been lost while the connection was down.
GAP = "\0gap"
_REDIS_ERRORS = (RedisError, OSError, TimeoutError)
_SUBSCRIBE_SECONDS = 3.0
_CHECK_SECONDS = 1.0
_MOST_WAITING = 10_000


@runtime_checkable
class ClusterClient(Protocol):
    """A client of several servers, each of which has some of the channels."""

    @property
    def map_changed(self) -> asyncio.Event:
        """Set when another server may have a channel; who waits for it clears it."""

    async def owner_of(self, key: str) -> Redis:
        """Return the client of the server that has a key or channel. Raises: RedisError."""

    def want_refresh(self) -> None:
        """Look for changes of the map soon."""

    async def run(self, *command: Any) -> Any:
        """Return the answer of the server that has the command's key. Raises: RedisError."""


@dataclass(slots=True)
class _Subscription:
    """A channel in use."""

    server: ServerSubscriptions | None = None
    confirmed: asyncio.Event = field(default_factory=asyncio.Event)
    had_been_confirmed: bool = False
    asked_at: float = float("-inf")


class RedisBackend(BroadcastBackend):
    """Pub/sub over one connection to each server; a subscription is ready when a server has confirmed it.

    After a lost connection, and when a channel has moved to another server, it is subscribed again and gets
    the message `GAP`.
    """

    def __init__(self, client: Redis | ClusterClient) -> None:
        self._client = client
        self._wanted: dict[str, _Subscription] = {}
        self._servers: dict[Redis, ServerSubscriptions] = {}
        self._published: asyncio.Queue[Event] = asyncio.Queue(_MOST_WAITING)
        self._mover: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Begin; the servers may be down."""
        if isinstance(self._client, ClusterClient):
            self._mover = asyncio.create_task(self._keep_moving(self._client))

    async def disconnect(self) -> None:
        """Stop, and close the connections."""
        if self._mover is not None:
            await stopped(self._mover)
        await asyncio.gather(*(server.close() for server in self._servers.values()))

    async def subscribe(self, group: str) -> None:
        """Subscribe to a channel, until its server has confirmed it.

        Raises:
            Unavailable: no server has confirmed it within 3 s.
        """
        subscription = self._wanted.setdefault(group, _Subscription())
        try:
            async with asyncio.timeout(_SUBSCRIBE_SECONDS):
                with contextlib.suppress(*_REDIS_ERRORS):  # the mover asks again
                    await self._place(group, subscription)
                await subscription.confirmed.wait()
        except TimeoutError as error:
            await self.unsubscribe(group)
            raise Unavailable from error

    async def unsubscribe(self, group: str) -> None:
        """End the subscription to a channel."""
        subscription = self._wanted.pop(group, None)
        if subscription is not None and subscription.server is not None:
            await subscription.server.remove(group)

    async def publish(self, channel: str, message: Any) -> None:
        """Send a message; it is dropped where Redis does not answer, as pub/sub promises no delivery."""
        try:
            if isinstance(self._client, ClusterClient):
                await self._client.run("SPUBLISH", channel, message)
            else:
                await self._client.spublish(channel, message)
        except _REDIS_ERRORS as error:
            log.warning("a message to %s was lost: %s", channel, error)

    async def next_published(self) -> Event:
        """The next message of any channel, which may be GAP."""
        return await self._published.get()

    async def on_subscribed(self, channel: str) -> None:
        """Let the subscriber go on; a second confirmation means a new connection, and perhaps a gap."""
        subscription = self._wanted.get(channel)
        if subscription is None:
            return
        subscription.confirmed.set()
        if subscription.had_been_confirmed:
            await self._published.put(Event(channel, GAP))
        subscription.had_been_confirmed = True

    def on_lost(self, channel: str | None) -> None:
        """Look for the server that has the channel now, or for those of a server that is away."""
        if channel is not None and (subscription := self._wanted.get(channel)):
            subscription.confirmed.clear()
        if isinstance(self._client, ClusterClient):
            self._client.want_refresh()

    async def on_message(self, channel: str, message: str) -> None:
        """Pass a message on; a full queue holds the server's connection back."""
        await self._published.put(Event(channel, message))

    async def _place(self, channel: str, subscription: _Subscription) -> None:
        """Subscribe at the server that has the channel.

        Raises:
            RedisError: Nobody knows which has it.
        """
        client = self._client
        if isinstance(client, ClusterClient):
            client = await client.owner_of(channel)
        server = self._servers.get(client)
        if server is None:
            server = self._servers[client] = ServerSubscriptions(client, self)
        earlier, subscription.server = subscription.server, server
        if earlier is not server:
            subscription.confirmed.clear()
            subscription.asked_at = float("-inf")
            if earlier is not None:
                await earlier.remove(channel)
        still_wanted = self._wanted.get(channel) is subscription and not subscription.confirmed.is_set()
        if still_wanted and time.monotonic() - subscription.asked_at > _CHECK_SECONDS:
            subscription.asked_at = time.monotonic()
            await server.add(channel)

    async def _keep_moving(self, cluster: ClusterClient) -> None:
        """Move channels to the servers that have them, and close connections that have none."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CHECK_SECONDS):
                    await cluster.map_changed.wait()
            cluster.map_changed.clear()
            for channel, subscription in list(self._wanted.items()):
                if channel in self._wanted:
                    with contextlib.suppress(*_REDIS_ERRORS):
                        await self._place(channel, subscription)
            for client, server in list(self._servers.items()):
                if not server.channels:
                    del self._servers[client]
                    await server.close()
