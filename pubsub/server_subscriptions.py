"""The subscriptions at one Redis server, over one connection that is made again when it is lost."""

import asyncio
import contextlib
import logging
import random
import time
from typing import Any, Protocol

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import AskError, ClusterDownError, RedisError, TryAgainError

from kit.tasks import stopped

log = logging.getLogger("boxoffice.pubsub")

_ERRORS = (RedisError, OSError, TimeoutError)
# AskError is the base of MovedError.
_MOVED = (AskError, TryAgainError, ClusterDownError)
SILENCE_SECONDS = 5.0
_BACKOFF_SECONDS = (0.05, 1.0)


class Receiver(Protocol):
    """Takes what a server says about its channels."""

    async def on_subscribed(self, channel: str) -> None:
        """The server has confirmed a subscription, on this or on a new connection."""

    def on_lost(self, channel: str | None) -> None:
        """The server does not serve a channel, or is away (None)."""

    async def on_message(self, channel: str, message: str) -> None:
        """A message was published."""


class ServerSubscriptions:
    """Reads the wanted channels of one server, whose channels are sharded ones (SSUBSCRIBE)."""

    def __init__(self, client: Redis, receiver: Receiver) -> None:
        self._client = client
        self._receiver = receiver
        self.channels: set[str] = set()
        """What is wanted of this server"""
        self._connection: AbstractConnection | None = None
        self._changed = asyncio.Event()
        self._reader = asyncio.create_task(self._keep_reading())

    async def close(self) -> None:
        """Stop reading, and close the connection."""
        await stopped(self._reader)

    async def add(self, channel: str) -> None:
        """Ask for a channel, or ask again; the receiver hears of the confirmation."""
        self.channels.add(channel)
        self._changed.set()
        await self._send("SSUBSCRIBE", channel)

    async def remove(self, channel: str) -> None:
        """End the subscription of a channel."""
        self.channels.discard(channel)
        await self._send("SUNSUBSCRIBE", channel)

    async def _send(self, *command: str) -> None:
        """Send a command on the connection that is open; where none is, the reader makes one."""
        connection = self._connection
        # redis-py would connect by itself, and the new connection would have no other subscription.
        if connection is not None and connection.is_connected:
            with contextlib.suppress(*_ERRORS, RuntimeError, AttributeError):
                await connection.send_command(*command, check_health=False)

    async def _keep_reading(self) -> None:
        least, most = _BACKOFF_SECONDS
        wait = least
        while True:
            while not self.channels:
                self._changed.clear()
                await self._changed.wait()
            began = time.monotonic()
            try:
                await self._read()
            except _ERRORS as error:
                log.warning("pub/sub connection lost: %s", error)
            except Exception:
                # Without a reader all live maps would stand still, so any error leads to a new connection.
                log.exception("pub/sub failed; connecting again")
            self._receiver.on_lost(None)
            await asyncio.sleep(wait * (0.5 + random.random() / 2))  # noqa: S311 - jitter
            lasted = time.monotonic() - began > SILENCE_SECONDS
            wait = least if lasted else min(wait * 2, most)

    async def _read(self) -> None:
        """Ask for all channels on a new connection, then pass messages on until it fails."""
        connection = self._client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.connect()
            self._connection = connection
            for channel in list(self.channels):
                await self._send("SSUBSCRIBE", channel)
            while True:
                await self._dispatch(await self._next(connection))
        finally:
            self._connection = None
            with contextlib.suppress(Exception):  # the connection is dropped, in any state
                await connection.disconnect(nowait=True)

    async def _next(self, connection: AbstractConnection) -> Any:
        """What the server says next; a silent one is asked whether it is there.

        Raises:
            TimeoutError: It is not.
        """
        for _ in range(2):
            try:
                said = await connection.read_response(timeout=SILENCE_SECONDS, push_request=True)
            except _MOVED as error:
                return error
            if said is not None:
                return said
            await self._send("PING")
        raise TimeoutError("no answer to a ping")

    async def _dispatch(self, said: Any) -> None:
        if isinstance(said, RedisError):
            # The server does not serve the slot of some channel; the answer does not name the channel.
            self._receiver.on_lost(None)
            return
        if not isinstance(said, list) or len(said) < 3:
            return  # the answer to a ping
        kind, channel = _text(said[0]), _text(said[1])
        if channel not in self.channels:
            return
        match kind:
            case "smessage":
                await self._receiver.on_message(channel, _text(said[2]))
            case "ssubscribe":
                await self._receiver.on_subscribed(channel)
            case "sunsubscribe":
                self._receiver.on_lost(channel)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
