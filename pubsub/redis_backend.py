"""A broadcaster backend for Redis that reconnects, and reports when messages may have been lost."""

import asyncio
import contextlib
import logging
import random
import time
from typing import Any, Protocol, runtime_checkable

from broadcaster import Event
from broadcaster._backends.base import BroadcastBackend
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from domain.errors import Unavailable
from kit.tasks import stopped

log = logging.getLogger("boxoffice.pubsub")

# The message that replaces those that may have been lost while the connection was down.
GAP = "\0gap"
_REDIS_ERRORS = (RedisError, OSError, TimeoutError)
_SUBSCRIBE_SECONDS = 3.0
_SILENCE_SECONDS = 5.0
_BACKOFF_SECONDS = (0.05, 1.0)
_MOST_WAITING = 10_000


@runtime_checkable
class ClusterClient(Protocol):
    """A client of several servers, each of which hears what any of them publishes."""

    async def any_client(self) -> Redis:
        """Return the client of a server that answers."""

    async def publish(self, channel: str, message: Any) -> None:
        """Send a message by a server that answers."""


class RedisBackend(BroadcastBackend):
    """Pub/sub over one connection; a subscription is ready when the server has confirmed it.

    After a lost connection every channel is subscribed again and gets the message `GAP`.
    """

    def __init__(self, client: Redis | ClusterClient) -> None:
        self._client = client
        self._wanted: dict[str, asyncio.Event] = {}
        self._confirmed: set[str] = set()
        """Channels whose subscription the server has confirmed, on this or an earlier connection."""
        self._pubsub: PubSub | None = None
        self._published: asyncio.Queue[Event] = asyncio.Queue(_MOST_WAITING)
        self._changed = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Start the reader, which connects and reconnects; the server may be down."""
        self._reader = asyncio.create_task(self._keep_reading())

    async def disconnect(self) -> None:
        """Stop, and close the connection."""
        if self._reader is not None:
            await stopped(self._reader)
        await self._drop()

    async def subscribe(self, group: str) -> None:
        """Subscribe to a channel, until the server has confirmed it.

        Raises:
            Unavailable: the server has not confirmed it within 3 s.
        """
        confirmed = self._wanted.setdefault(group, asyncio.Event())
        self._changed.set()
        try:
            if self._pubsub is not None and not confirmed.is_set():
                await self._pubsub.subscribe(group)
            async with asyncio.timeout(_SUBSCRIBE_SECONDS):
                await confirmed.wait()
        except Exception as error:  # also errors inside redis-py while the reader connects again
            self._forget(group)
            raise Unavailable from error

    async def unsubscribe(self, group: str) -> None:
        """End the subscription to a channel."""
        self._forget(group)
        if self._pubsub is not None:
            # redis-py may raise anything while the reader connects again; the channel has no subscriber now.
            with contextlib.suppress(Exception):
                await self._pubsub.unsubscribe(group)

    def _forget(self, group: str) -> None:
        self._wanted.pop(group, None)
        self._confirmed.discard(group)

    async def publish(self, channel: str, message: Any) -> None:
        """Send a message; it is dropped where Redis does not answer, as pub/sub promises no delivery."""
        try:
            await self._client.publish(channel, message)
        except _REDIS_ERRORS as error:
            log.warning("a message to %s was lost: %s", channel, error)

    async def next_published(self) -> Event:
        """The next message of any channel, which may be GAP."""
        return await self._published.get()

    async def _keep_reading(self) -> None:
        least, most = _BACKOFF_SECONDS
        wait = least
        while True:
            began = time.monotonic()
            try:
                await self._read()
            except _REDIS_ERRORS as error:
                log.warning("pub/sub connection lost: %s", error)
            except Exception:
                # Without a reader all live maps would stand still, so any error leads to a new connection.
                log.exception("pub/sub failed; connecting again")
            await self._drop()
            await asyncio.sleep(wait * (0.5 + random.random() / 2))  # noqa: S311 - jitter
            lasted = time.monotonic() - began > _SILENCE_SECONDS
            wait = least if lasted else min(wait * 2, most)

    async def _read(self) -> None:
        """Subscribe to all channels in use, then pass messages on until the connection fails."""
        while not self._wanted:
            self._changed.clear()
            await self._changed.wait()
        for confirmed in self._wanted.values():
            confirmed.clear()
        client = self._client
        if isinstance(client, ClusterClient):
            client = await client.any_client()
        pubsub = client.pubsub()
        first = list(self._wanted)
        await pubsub.subscribe(*first)
        self._pubsub = pubsub
        if late := self._wanted.keys() - first:
            await pubsub.subscribe(*late)
        while True:
            message = await pubsub.get_message(ignore_subscribe_messages=False, timeout=_SILENCE_SECONDS)
            if message is None:
                message = await self._check_connection(pubsub)
            if message is not None:
                await self._dispatch(message)

    async def _check_connection(self, pubsub: PubSub) -> dict[str, Any] | None:
        """Ping a silent connection; returns the first message that arrives in time."""
        if not pubsub.subscribed:
            return None
        await pubsub.ping()
        message = await pubsub.get_message(ignore_subscribe_messages=False, timeout=_SILENCE_SECONDS)
        if message is None:
            raise TimeoutError("no answer to a ping")
        answer: dict[str, Any] = message
        return answer

    async def _dispatch(self, message: dict[str, Any]) -> None:
        channel = _text(message.get("channel") or b"")
        if message["type"] == "subscribe":
            confirmed = self._wanted.get(channel)
            if confirmed is None:
                return
            confirmed.set()
            # A second confirmation means a new connection, which this class or redis-py itself has made.
            if channel in self._confirmed:
                await self._published.put(Event(channel, GAP))
            self._confirmed.add(channel)
        elif message["type"] == "message":
            await self._published.put(Event(channel, _text(message["data"])))

    async def _drop(self) -> None:
        pubsub, self._pubsub = self._pubsub, None
        if pubsub is not None:
            with contextlib.suppress(Exception):  # the connection is dropped, in any state
                await pubsub.aclose()  # type: ignore[no-untyped-call]


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
