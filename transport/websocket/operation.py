"""One operation of one socket: a query, a mutation or a subscription."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import lru_cache
from typing import Any, Protocol

import orjson

from transport.execution.engine import Call, Engine
from transport.execution.subscription import Subscription
from transport.protocol.errors import GraphQLHTTPError
from transport.protocol.payload import Payload
from transport.protocol.ports import Meters
from transport.protocol.request import read_operation

from .event_sources import EventSource, event_source_of
from .frames import text_frame
from .pushing import Push
from .senders import FrameSender, Sender

LONGEST_KEPT = 64


def quoted(name: str) -> bytes:
    """An id as JSON; most sockets use the same few, and those are short."""
    return _kept(name) if len(name) <= LONGEST_KEPT else _quoted(name)


def error_message(name: str, payload: Payload) -> bytes:
    """The message that ends the operation of an id with a payload's errors."""
    errors = orjson.dumps(orjson.loads(payload.body)["errors"])
    return b'{"id":' + quoted(name) + b',"type":"error","payload":' + errors + b"}"


def _quoted(name: str) -> bytes:
    return bytes(bytearray(orjson.dumps(name)))  # copied: what orjson returns keeps its first KiB


_kept = lru_cache(maxsize=256)(_quoted)


class Socket(Protocol):
    """The connection that an operation belongs to."""

    @property
    def engine(self) -> Engine:
        """Runs it."""

    @property
    def meters(self) -> Meters:
        """Count it."""

    @property
    def sender(self) -> Sender:
        """Carries its messages."""

    def hold(self, call: Call) -> Callable[[], None]:
        """Hold what an open subscription costs, until the returned function is called.

        Raises: TooManyOperations, Overloaded.
        """

    async def context(self) -> Any:
        """Make the context of one operation. Raises: GraphQLHTTPError."""

    def finished(self, operation: SocketOperation) -> None:
        """Forget it: its id is free again."""

    def refused(self, error: GraphQLHTTPError) -> None:
        """Handle an error of the operation."""


class SocketOperation:
    """An operation that runs from its creation; `cancel` ends it without a message."""

    __slots__ = ("_counted", "_free", "_push", "_quoted", "_socket", "_task", "name", "ongoing")

    def __init__(
        self, socket: Socket, name: str, payload: Mapping[str, Any], free: Callable[[], None]
    ) -> None:
        self.name = name
        self.ongoing = False
        """True for a subscription, which does not end by itself."""
        self._socket = socket
        self._quoted = quoted(name)
        self._push: Push | None = None
        self._counted = False
        self._free = [free]
        """Frees what it holds of the connection's memory"""
        self._task: asyncio.Task[None] | None = asyncio.create_task(self._run(dict(payload)))

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The task to wait for; None for a subscription that is pushed."""
        return self._task

    def wake(self) -> None:
        """The socket has room again."""
        if self._push is not None:
            self._push.wake()

    def cancel(self) -> None:
        """End it without a message."""
        if self._task is not None:
            self._task.cancel()
        self._release()

    def error(self, payload: Payload) -> bytes:
        """The message that ends the operation with a payload's errors."""
        return error_message(self.name, payload)

    async def _run(self, payload: dict[str, Any]) -> None:
        """Run to the end, or until the event source pushes; an error ends with an error message."""
        encoder = self._socket.engine.encoder
        try:
            context = await self._socket.context()
            call = await self._socket.engine.prepare(read_operation(payload), context)
            payload.clear()  # an open subscription keeps nothing of it
            if await self._deliver(call, context):
                return
            last = self._complete()
        except GraphQLHTTPError as error:
            self._socket.refused(error)
            last = self.error(encoder.request_error(error.errors))
        except Exception as error:
            last = self.error(encoder.fault(error))
        self._release()
        self._socket.finished(self)
        await self._socket.sender.send(last)

    async def _deliver(self, call: Call, context: Any) -> bool:
        """Send the answers; True where an event source goes on pushing them."""
        engine = self._socket.engine
        await self._socket.sender.ready()
        if call.operation.kind != "subscription":
            async with aclosing(engine.answers(call, context)) as answers:
                async for payload, _ in answers:
                    await self._send(payload)
            return False
        self._free.append(self._socket.hold(call))
        subscription = await engine.subscription(call, context)
        self.ongoing = True
        self._counted = True
        self._socket.meters.subscriptions("websocket", 1)
        sender = self._socket.sender
        if isinstance(sender, FrameSender):
            return await self._open(subscription, sender)
        await self._follow(subscription)
        return False

    async def _open(self, subscription: Subscription, sender: FrameSender) -> bool:
        """Send the first event, and let the source push the others where it can."""
        pushing: EventSource | None = None
        try:
            source = await subscription.open()
            pushing = event_source_of(source)
            if pushing is not None:
                await self._send(subscription.payload(await anext(source)))
        except Exception as error:
            await subscription.aclose()
            if not isinstance(error, StopAsyncIteration):
                await self._send(subscription.failure(error))
            return False
        except BaseException:
            await subscription.aclose()
            raise
        if pushing is None:
            await self._follow(subscription)
            return False
        self._push = Push(subscription, pushing, sender, self._quoted, self._finish)
        self._task = None
        self._push.start()
        return True

    async def _follow(self, subscription: Subscription) -> None:
        """Pull one event after another, each when the socket has taken the one before."""
        async with aclosing(subscription.payloads()) as payloads:
            async for payload, _ in payloads:
                await self._send(payload)
                await self._socket.sender.ready()

    async def _send(self, payload: Payload | Awaitable[Payload]) -> None:
        if not isinstance(payload, Payload):
            payload = await payload
        await self._socket.sender.send_payload(payload, self._quoted)

    def _finish(self, last: Payload | None) -> None:
        """Send the operation's last message, even to a full socket: its event source has ended."""
        sender = self._socket.sender
        assert isinstance(sender, FrameSender), "only a sink is pushed to"
        self._release()
        self._socket.finished(self)
        if last is not None:
            sender.write_payload(last, self._quoted)
        sender.sink.write(text_frame(self._complete()))

    def _release(self) -> None:
        """Release what it holds; a second call does nothing."""
        if self._push is not None:
            self._push.stop()
            self._push = None
        if self._counted:
            self._counted = False
            self._socket.meters.subscriptions("websocket", -1)
        while self._free:
            self._free.pop()()

    def _complete(self) -> bytes:
        return b'{"id":' + self._quoted + b',"type":"complete"}'
