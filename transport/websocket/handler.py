"""graphql-transport-ws: the protocol's messages, close codes and clocks on plain ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from transport.execution.engine import Call, Engine
from transport.execution.options import ServerOptions
from transport.overload.memory_budget import (
    MEMORY_LIMIT,
    MESSAGE_EXPANSION,
    NO_MEMORY,
    OPERATION_BYTES,
    ConnectionMemory,
    DocumentsInUse,
    MemoryBudget,
)
from transport.overload.open_connections import OpenConnections
from transport.protocol.asgi import Receive, Scope, Send, connection_info
from transport.protocol.errors import GraphQLHTTPError, Overloaded, TokenExpired, TooManyOperations
from transport.protocol.expiry import seconds_until
from transport.protocol.keepalive import Heartbeat
from transport.protocol.limits import Limits
from transport.protocol.payload import Payload
from transport.protocol.ports import ConnectionInfo, ContextFactory, Meters, as_awaited

from .frames import text_frame
from .messages import Closed, authorization_in, check_first, check_id, check_payload, decoded, operation_in
from .operation import SocketOperation, error_message
from .senders import FrameSender, Sender, sender_of

SUBPROTOCOL = "graphql-transport-ws"
PING = b'{"type":"ping"}'
PONG = b'{"type":"pong"}'
ACK = b'{"type":"connection_ack"}'
PING_FRAME = text_frame(PING)
FINISH_SECONDS = 5.0
"""How long a query or mutation may go on after its connection's token has ended."""
SERVICE_RESTART = 1012
TERMINATED = 4499


class WebSocketTransport:
    """Accepts sockets and keeps track of those that are open."""

    def __init__(
        self,
        engine: Engine,
        context_factory: ContextFactory,
        heartbeat: Heartbeat,
        limits: Limits,
        options: ServerOptions,
        meters: Meters,
        connections: OpenConnections,
        memory: MemoryBudget,
        documents: DocumentsInUse,
    ) -> None:
        self.engine = engine
        self.context_factory = context_factory
        self.heartbeat = heartbeat
        self.limits = limits
        self.meters = meters
        self.options = options
        self._connections = connections
        self.memory = memory
        self.documents = documents
        self._open: set[WebSocketConnection] = set()
        self._empty = asyncio.Event()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket from its handshake to its close."""
        info = connection_info(scope, "websocket")
        await receive()
        if not self.options.origin_allowed(info):
            await send({"type": "websocket.close", "code": 4403})
            return
        if SUBPROTOCOL not in scope.get("subprotocols", ()):
            await send({"type": "websocket.accept"})
            await _close(send, 4406, "Subprotocol not acceptable")
            return
        try:
            await self.options.opening(info)
            release = self._connections.acquire(info)
        except GraphQLHTTPError as error:
            self.meters.refused(error.error_code)
            await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
            await _close(send, error.close_code, _reason(error))
            return
        try:
            await self._serve(info, scope, receive, send)
        finally:
            release()

    async def _serve(self, info: ConnectionInfo, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        connection = WebSocketConnection(self, info, scope, receive, send)
        self._open.add(connection)
        try:
            await connection.run()
        finally:
            self._open.discard(connection)
            if not self._open:
                self._empty.set()

    async def aclose(self) -> None:
        """Close every socket so that clients reconnect elsewhere, and wait until they have."""
        for connection in list(self._open):
            connection.end(SERVICE_RESTART, "Service restart")
        while self._open:
            self._empty.clear()
            await self._empty.wait()


class WebSocketConnection:
    """One client and its operations."""

    __slots__ = (
        "_acknowledged",
        "_closed",
        "_expiry",
        "_heard_at",
        "_info",
        "_initialising",
        "_operations",
        "_ping",
        "_receive",
        "_send_message",
        "_server",
        "_subscribed_cost",
        "_task",
        "memory",
        "sender",
    )

    def __init__(
        self, server: WebSocketTransport, info: ConnectionInfo, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self.memory = ConnectionMemory(server.memory, server.options.network(info))
        self.sender: Sender = sender_of(scope, send, self.memory, self._overflow)
        self._subscribed_cost = 0
        self._server = server
        self._info = info
        self._receive = receive
        self._send_message = send
        self._closed: Closed | None = None
        self._task: asyncio.Task[Any] | None = None
        self._operations: dict[str, SocketOperation] = {}
        self._initialising = False
        self._acknowledged = False
        self._heard_at = asyncio.get_running_loop().time()
        self._ping: asyncio.Task[None] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        if isinstance(self.sender, FrameSender):
            self.sender.on_ready(self._wake)
            self.sender.sink.charge(self.memory, self._overflow)

    @property
    def engine(self) -> Engine:
        """See `Socket`."""
        return self._server.engine

    @property
    def meters(self) -> Meters:
        """See `Socket`."""
        return self._server.meters

    def hold(self, call: Call) -> Callable[[], None]:
        """See `Socket`."""
        most = self._server.limits.subscription_cost
        if self._subscribed_cost + call.cost > most:
            self.meters.limited("subscription_cost")
            raise TooManyOperations(f"The subscriptions of a connection may cost {most} together.")
        document, documents = call.operation, self._server.documents
        if not documents.take(document, document.size_bytes, self.memory.network):
            self.meters.limited(MEMORY_LIMIT)
            raise Overloaded(NO_MEMORY)
        self._subscribed_cost += call.cost

        def free() -> None:
            self._subscribed_cost -= call.cost
            documents.release(document)

        return free

    def _overflow(self) -> None:
        """End the connection, for which there is no memory left."""
        if self._closed is None:
            self.meters.limited(MEMORY_LIMIT)
            self.end(1013, "Too much is waiting to be read")

    async def context(self) -> Any:
        """See `Socket`."""
        return await as_awaited(self._server.context_factory(self._info))

    def finished(self, operation: SocketOperation) -> None:
        """See `Socket`."""
        if self._operations.get(operation.name) is operation:
            del self._operations[operation.name]

    def refused(self, error: GraphQLHTTPError) -> None:
        """See `Socket`."""
        self.meters.refused(error.error_code)
        if error.status == 401:
            self.end(4403, _reason(error))

    async def run(self) -> None:
        """Read messages until either side ends the connection."""
        self._task = asyncio.current_task()
        self._server.heartbeat.add(self)
        self._expiry = self._later(self._server.limits.init_seconds, self._expect_init)
        try:
            await self._read()
        except asyncio.CancelledError:
            if self._closed is None or self._task is None:
                raise
            self._task.uncancel()
        finally:
            self._task = None
            self._expiry.cancel()
            self._server.heartbeat.remove(self)
            await self._stop()
            self.memory.close()

    def end(self, code: int, reason: str, farewell: Payload | None = None) -> None:
        """Close with a code; `farewell` is the last payload of the operations that still run."""
        if self._closed is None:
            self._closed = Closed(code, reason, farewell)
            if self._task is not None and self._task is not asyncio.current_task():
                self._task.cancel()

    def beat(self, now: float) -> None:
        """Ping the client; drop it where it reads nothing or has been silent for too long."""
        limits = self._server.limits
        blocked_since = self.sender.blocked_since
        if blocked_since is not None and now - blocked_since > limits.send_seconds:
            self._drop("slow")
        elif now - self._heard_at > limits.silence_seconds:
            self._drop("silent")
        elif self._acknowledged and blocked_since is None:
            self._say_ping()

    def _say_ping(self) -> None:
        if isinstance(self.sender, FrameSender):
            self.sender.sink.write(PING_FRAME)
        else:
            self._ping = asyncio.ensure_future(self.sender.send(PING))

    def _drop(self, reason: str) -> None:
        self._server.meters.dropped("websocket", reason)
        self.end(TERMINATED, "Terminated")

    @staticmethod
    def _later(seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, call)

    def _expect_init(self) -> None:
        if not self._acknowledged:
            self.end(4408, "Connection initialisation timeout")

    def _expire(self) -> None:
        """End the connection, whose token has expired."""
        error = TokenExpired()
        self.meters.refused(error.error_code)
        self.end(4403, "Forbidden", self.engine.encoder.request_error(error.errors))

    def _wake(self) -> None:
        """Go on sending: the client reads again."""
        for operation in list(self._operations.values()):
            operation.wake()

    async def _stop(self) -> None:
        """Cancel the operations, then send the close; a client that reads nothing gets none."""
        closed, blocked = self._closed, self.sender.blocked_since is not None
        if closed is not None and closed.farewell is not None and not blocked:
            await self._let_finish()
        operations = list(self._operations.values())
        tasks = [operation.task for operation in operations if operation.task is not None]
        for operation in operations:
            operation.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)
        if closed is None or blocked:
            return
        with suppress(Exception):
            for operation in operations:
                if closed.farewell is not None:
                    await self.sender.send(operation.error(closed.farewell))
            await _close(self._send_message, closed.code, closed.reason)

    async def _let_finish(self) -> None:
        """Let queries and mutations finish that began with a valid token."""
        answering = [
            operation.task
            for operation in self._operations.values()
            if operation.task is not None and not operation.ongoing
        ]
        if answering:
            await asyncio.wait(answering, timeout=FINISH_SECONDS)

    async def _read(self) -> None:
        try:
            while True:
                message = await self._receive()
                if message["type"] == "websocket.disconnect":
                    return
                self._heard_at = asyncio.get_running_loop().time()
                text = message.get("text")
                if not self._initialising:
                    check_first(text, self._server.limits)
                await self._handle(decoded(text, self._server.limits), len(text or ""))
        except Closed as closed:
            self._closed = self._closed or closed
        except Exception as error:
            self.engine.encoder.fault(error)
            self.end(4500, "Internal server error")

    async def _handle(self, message: dict[str, Any], size_bytes: int) -> None:
        match message.get("type"):
            case "connection_init":
                await self._initialise(message.get("payload"))
            case "ping":
                check_payload(message.get("payload"))
                await self.sender.send(PONG)
            case "pong":
                check_payload(message.get("payload"))
            case "subscribe":
                await self._subscribe(message.get("id"), message.get("payload"), size_bytes)
            case "complete":
                self._complete(message.get("id"))
            case _:
                raise Closed(4400, "Invalid message: unknown type")

    async def _initialise(self, payload: Any) -> None:
        if self._initialising:
            raise Closed(4429, "Too many initialisation requests")
        self._initialising = True
        self._info = replace(self._info, params=authorization_in(payload, self._server.limits))
        try:
            context = await self.context()
        except GraphQLHTTPError as error:
            self.meters.refused(error.error_code)
            raise Closed(_close_code(error), _reason(error)) from None
        await self.sender.send(ACK)
        self._acknowledged = True
        expires_at = self._server.options.expires_at(context)
        if expires_at is not None and self._expiry is not None:
            self._expiry.cancel()
            self._expiry = self._later(seconds_until(expires_at), self._expire)

    async def _subscribe(self, name: Any, payload: Any, size_bytes: int) -> None:
        check_id(name, self._server.limits)
        operation = operation_in(payload)
        if not self._acknowledged:
            raise Closed(4401, "Unauthorized")
        if name in self._operations:
            raise Closed(4409, f"Subscriber for {name} already exists"[:120])
        if len(self._operations) >= self._server.limits.operations_per_connection:
            await self._refuse(name, TooManyOperations())
            return
        held_bytes = OPERATION_BYTES + MESSAGE_EXPANSION * size_bytes
        if not self.memory.take(held_bytes):
            self.meters.limited(MEMORY_LIMIT)
            await self._refuse(name, Overloaded(NO_MEMORY))
            return
        free = partial(self.memory.release, held_bytes)
        self._operations[name] = SocketOperation(self, name, operation, free)

    async def _refuse(self, name: str, error: GraphQLHTTPError) -> None:
        """Refuse one operation; the others go on."""
        self.meters.refused(error.error_code)
        await self.sender.send(error_message(name, self.engine.encoder.request_error(error.errors)))

    def _complete(self, name: Any) -> None:
        check_id(name, self._server.limits)
        operation = self._operations.pop(name, None)
        if operation is not None:
            operation.cancel()


def _close_code(error: GraphQLHTTPError) -> int:
    return error.close_code if error.close_code >= 4401 else 4403


def _reason(error: GraphQLHTTPError) -> str:
    return error.message.encode()[:120].decode(errors="ignore")


async def _close(send: Send, code: int, reason: str) -> None:
    await send({"type": "websocket.close", "code": code, "reason": reason})
