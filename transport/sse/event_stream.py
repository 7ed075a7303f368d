"""The two halves of an event stream: the writer to its socket, and its operations."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from transport.execution.engine import Call
from transport.overload.memory_budget import (
    MEMORY_LIMIT,
    MESSAGE_EXPANSION,
    NO_MEMORY,
    OPERATION_BYTES,
    ConnectionMemory,
)
from transport.protocol.asgi import Send, start_response
from transport.protocol.errors import Conflict, Overloaded, TooManyOperations
from transport.protocol.limits import Limits
from transport.protocol.ports import Meters

from .directory import Message
from .formats import StreamFormat
from .positions import Positions, position_of


class EventWriter:
    """The sending half of one stream: one event at a time, and a sign of life while it is quiet."""

    def __init__(
        self,
        send: Send,
        format: StreamFormat,  # noqa: A002 - what else it is
        limits: Limits,
        memory: ConnectionMemory,
        drop: Callable[[], None],
    ) -> None:
        self._send = send
        self.format = format
        self._memory = memory
        self._limits = limits
        self._drop = drop
        self._lock = asyncio.Lock()
        self._blocked_since: float | None = None
        self._beat: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Send the headers, and what comes first."""
        await start_response(self._send, 200, self.format.headers)
        await self.write(self.format.opening)

    async def write(self, event: bytes) -> None:
        """Return once the socket has taken the event; drop a client for whose events there is no memory."""
        if not self._memory.take(len(event)):
            self._drop()
            return
        try:
            await self._write(event)
        finally:
            self._memory.release(len(event))

    async def _write(self, event: bytes) -> None:
        async with self._lock:
            self._blocked_since = asyncio.get_running_loop().time()
            try:
                await self._send({"type": "http.response.body", "body": event, "more_body": True})
            finally:
                self._blocked_since = None

    async def end(self, farewell: bytes) -> None:
        """Finish the response."""
        async with self._lock:
            message = {"type": "http.response.body", "body": farewell, "more_body": False}
            await self._send(message)

    def beat(self, now: float) -> None:
        """Send a sign of life, or drop a client that reads nothing."""
        if self._blocked_since is None:
            self._beat = asyncio.ensure_future(self.write(self.format.beat))
        elif now - self._blocked_since > self._limits.send_seconds:
            self._drop()


class EventStream:
    """A stream in single connection mode: reserved, then open, then closed."""

    def __init__(
        self,
        limits: Limits,
        memory: ConnectionMemory,
        meters: Meters,
        start: Callable[[EventStream, Message], Awaitable[None]],
    ) -> None:
        self._limits = limits
        self._subscribed_cost = 0
        self.memory = memory
        """Holds the requests that wait for the stream to be opened, and those that are open."""
        self._meters = meters
        self._start = start
        self._pending: dict[str, Message] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self._is_claimed = False
        self.writer: EventWriter | None = None
        self.positions = Positions()
        self._last_event_id: str | None = None
        self._resumed: set[str] = set()
        self.released: Callable[[], None] = lambda: None
        self.reservation = ExitStack()
        """What counts the stream until it is open; closing it again does nothing."""

    def handle(self, message: Message) -> Message:
        """Handle a request of this or another process: run, stop or hand over."""
        match message["kind"]:
            case "run":
                return self._run(message)
            case "stop":
                return self._stop(message["id"])
            case _:
                return self._hand_over()

    def claim(self) -> None:
        """Claim the stream for one connection, to its end. Raises: Conflict where it is claimed already."""
        if self._is_claimed:
            raise Conflict("The event stream is open already.")
        self._is_claimed = True

    def open(self, writer: EventWriter, last_event_id: str | None) -> None:
        """Begin to send; earlier operations start now, at the position where the last stream ended."""
        self.writer = writer
        self._last_event_id = last_event_id
        pending, self._pending = self._pending, {}
        for message in pending.values():
            self._launch(message)

    def resume_at(self, name: str, asked: str) -> str | None:
        """The position at which an operation of a broken stream resumes; returned once only."""
        position = None if name in self._resumed else position_of(self._last_event_id, name, asked)
        if position is not None:
            self._resumed.add(name)
        return position

    def adopt(self, pending: list[Message]) -> None:
        """Take over operations that were submitted to another process."""
        for message in pending:
            if message["id"] not in self._pending and self.memory.take(_size_of(message)):
                self._pending[message["id"]] = message

    async def close(self) -> list[str]:
        """Stop every operation; the ids of those that ran."""
        running = dict(self._running)
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), *self._stopping, return_exceptions=True)
        self.memory.close()
        return list(running)

    @contextmanager
    def subscribed(self, call: Call) -> Iterator[None]:
        """Count the cost of a subscription while it is open. Raises: TooManyOperations."""
        cost = call.cost if call.operation.kind == "subscription" else 0
        if self._subscribed_cost + cost > self._limits.subscription_cost:
            self._meters.limited("subscription_cost")
            raise TooManyOperations(
                f"The subscriptions of a stream may cost {self._limits.subscription_cost} together."
            )
        self._subscribed_cost += cost
        try:
            yield
        finally:
            self._subscribed_cost -= cost

    def _run(self, message: Message) -> Message:
        name = message["id"]
        if name in self._pending or name in self._running:
            raise Conflict(f"An operation {name} is running already.")
        if len(self._pending) + len(self._running) >= self._limits.operations_per_connection:
            raise TooManyOperations
        if not self.memory.take(_size_of(message)):
            self._meters.limited(MEMORY_LIMIT)
            raise Overloaded(NO_MEMORY)
        if self.writer is None:
            self._pending[name] = message
        else:
            self._launch(message)
        return {}

    def _launch(self, message: Message) -> None:
        name = message["id"]
        task = asyncio.create_task(self._start_task(message))
        self._running[name] = task
        task.add_done_callback(partial(self._ended, name, _size_of(message)))

    def _ended(self, name: str, size_bytes: int, task: asyncio.Task[None]) -> None:
        self.memory.release(size_bytes)
        self._stopping.discard(task)
        if self._running.get(name) is task:
            del self._running[name]

    async def _start_task(self, message: Message) -> None:
        await self._start(self, message)

    def _stop(self, name: str) -> Message:
        pending = self._pending.pop(name, None)
        if pending is not None:
            self.memory.release(_size_of(pending))
        elif name in self._running:
            task = self._running.pop(name)  # its id is free from now on
            self._stopping.add(task)
            task.cancel()
        return {}

    def _hand_over(self) -> Message:
        self.claim()
        self.released()
        return {"pending": list(self._pending.values())}


def _size_of(message: Message) -> int:
    """The memory of a submitted operation."""
    return OPERATION_BYTES + MESSAGE_EXPANSION * int(message["size_bytes"])
