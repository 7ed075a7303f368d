"""graphql-transport-ws: the protocol's messages, close codes and clocks on plain ASGI."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

import orjson

from .asgi import Receive, Scope, Send, connection_info
from .engine import Call, Engine
from .errors import Refused
from .keepalive import Heartbeat
from .limits import Limits
from .options import ServerOptions
from .payload import Payload
from .ports import ConnectionInfo, ContextFactory, Meters, as_awaited
from .request import read_operation

SUBPROTOCOL = "graphql-transport-ws"
PING = '{"type":"ping"}'
PONG = '{"type":"pong"}'
ACK = '{"type":"connection_ack"}'
SERVICE_RESTART = 1012
TERMINATED = 4499


class Closed(Exception):
    """The connection has to end with a close code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


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
    ) -> None:
        self.engine = engine
        self.context_factory = context_factory
        self.heartbeat = heartbeat
        self.limits = limits
        self.meters = meters
        self._options = options
        self._open: set[WebSocketConnection] = set()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket from its handshake to its close."""
        info = connection_info(scope, "websocket")
        await receive()
        if not self._options.origin_allowed(info):
            await send({"type": "websocket.close", "code": 4403})
            return
        if SUBPROTOCOL not in scope.get("subprotocols", ()):
            await send({"type": "websocket.accept"})
            await _close(send, 4406, "Subprotocol not acceptable")
            return
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        connection = WebSocketConnection(self, info, receive, send)
        self._open.add(connection)
        try:
            await connection.run()
        finally:
            self._open.discard(connection)

    async def aclose(self) -> None:
        """Tell every client to reconnect elsewhere."""
        for connection in list(self._open):
            connection.end(SERVICE_RESTART, "Service restart")
        while self._open:
            await asyncio.wait({c.finished for c in self._open})
            await asyncio.sleep(0)


class WebSocketConnection:
    """One client: its operations, each with at most one frame on the way."""

    def __init__(
        self, server: WebSocketTransport, info: ConnectionInfo, receive: Receive, send: Send
    ) -> None:
        loop = asyncio.get_running_loop()
        self.finished: asyncio.Future[None] = loop.create_future()
        self._server = server
        self._info = info
        self._receive = receive
        self._send_message = send
        self._ended: asyncio.Future[Closed] = loop.create_future()
        self._lock = asyncio.Lock()
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._initialising = False
        self._acknowledged = False
        self._heard_at = loop.time()
        self._blocked_since: float | None = None
        self._ping: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Read messages until either side ends the connection."""
        loop = asyncio.get_running_loop()
        self._server.heartbeat.add(self)
        deadline = loop.call_later(self._server.limits.init_seconds, self._expect_init)
        reading = asyncio.ensure_future(self._read())
        try:
            await asyncio.wait((reading, self._ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            deadline.cancel()
            self._server.heartbeat.remove(self)
            await self._stop(reading)
            self.finished.set_result(None)

    def end(self, code: int, reason: str) -> None:
        """Close the connection with a code, from wherever this is noticed."""
        if not self._ended.done():
            self._ended.set_result(Closed(code, reason))

    def beat(self, now: float) -> None:
        """Ping the client; drop one that takes nothing or has long been silent."""
        limits = self._server.limits
        if self._blocked_since is not None and now - self._blocked_since > limits.send_seconds:
            self._drop("slow")
        elif now - self._heard_at > limits.silence_seconds:
            self._drop("silent")
        elif self._acknowledged and self._blocked_since is None:
            self._ping = asyncio.ensure_future(self._send(PING))

    def _drop(self, reason: str) -> None:
        self._server.meters.dropped("websocket", reason)
        self.end(TERMINATED, "Terminated")

    def _expect_init(self) -> None:
        if not self._acknowledged:
            self.end(4408, "Connection initialisation timeout")

    async def _stop(self, reading: asyncio.Future[None]) -> None:
        """Cancel what runs, then say goodbye; a client that takes nothing gets no goodbye."""
        tasks = [reading, *self._operations.values()]
        blocked = self._blocked_since is not None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._ended.done() and not blocked:
            closed = self._ended.result()
            with suppress(Exception):
                await _close(self._send_message, closed.code, closed.reason)

    async def _read(self) -> None:
        try:
            while True:
                message = await self._receive()
                if message["type"] == "websocket.disconnect":
                    return
                self._heard_at = asyncio.get_running_loop().time()
                await self._handle(self._decode(message.get("text")))
        except Closed as closed:
            self.end(closed.code, closed.reason)
        except Exception as error:
            self._server.engine.encoder.fault(error)
            self.end(4500, "Internal server error")

    def _decode(self, text: str | None) -> dict[str, Any]:
        if text is None:
            raise Closed(4400, "Only text messages are read")
        if len(text) > self._server.limits.body_bytes:
            raise Closed(1009, "Message too big")
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise Closed(4400, "Invalid message: not JSON") from None
        if not isinstance(message, dict):
            raise Closed(4400, "Invalid message: not an object")
        return message

    async def _handle(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "connection_init":
                await self._initialise(message.get("payload"))
            case "ping":
                await self._send(PONG)
            case "pong":
                pass
            case "subscribe":
                self._subscribe(message.get("id"), message.get("payload"))
            case "complete":
                self._complete(message.get("id"))
            case _:
                raise Closed(4400, "Invalid message: unknown type")

    async def _initialise(self, payload: Any) -> None:
        if self._initialising:
            raise Closed(4429, "Too many initialisation requests")
        self._initialising = True
        if payload is not None and not isinstance(payload, dict):
            raise Closed(4400, "Invalid message: payload has to be an object")
        self._info = replace(self._info, params=payload or {})
        try:
            await as_awaited(self._server.context_factory(self._info))
        except Refused as refusal:
            self._server.meters.refused(refusal.error_code)
            raise Closed(_close_code(refusal), _reason(refusal)) from None
        await self._send(ACK)
        self._acknowledged = True

    def _subscribe(self, name: Any, payload: Any) -> None:
        if not isinstance(name, str) or not name:
            raise Closed(4400, "Invalid message: id has to be a string")
        if not isinstance(payload, dict):
            raise Closed(4400, "Invalid message: payload has to be an object")
        if not self._acknowledged:
            raise Closed(4401, "Unauthorized")
        if name in self._operations:
            raise Closed(4409, f"Subscriber for {name} already exists"[:120])
        if len(self._operations) >= self._server.limits.operations_per_connection:
            raise Closed(4429, "Too many operations")
        self._operations[name] = asyncio.create_task(self._operate(name, payload))

    def _complete(self, name: Any) -> None:
        if not isinstance(name, str):
            raise Closed(4400, "Invalid message: id has to be a string")
        operation = self._operations.pop(name, None)
        if operation is not None:
            operation.cancel()

    async def _operate(self, name: str, payload: dict[str, Any]) -> None:
        """Run one operation to its end; what is refused ends it with an error message."""
        quoted = orjson.dumps(name).decode()
        try:
            call = await self._server.engine.prepare(read_operation(payload))
            context = await as_awaited(self._server.context_factory(self._info))
            await self._deliver(quoted, call, context)
            last = f'{{"id":{quoted},"type":"complete"}}'
        except Refused as refusal:
            self._server.meters.refused(refusal.error_code)
            if refusal.status == 401:
                self.end(4403, _reason(refusal))
            last = self._error(quoted, self._server.engine.encoder.refusal(refusal.errors))
        except Exception as error:
            last = self._error(quoted, self._server.engine.encoder.fault(error))
        if self._operations.get(name) is asyncio.current_task():
            del self._operations[name]
        await self._send(last)

    async def _deliver(self, quoted: str, call: Call, context: Any) -> None:
        head = f'{{"id":{quoted},"type":"next","payload":'
        meters = self._server.meters
        counted = 1 if call.operation.kind == "subscription" else 0
        if counted:
            meters.subscriptions("websocket", 1)
        try:
            async with aclosing(self._server.engine.answers(call, context)) as answers:
                async for payload, _ in answers:
                    await self._send(f"{head}{payload.text}}}")
        finally:
            if counted:
                meters.subscriptions("websocket", -1)

    @staticmethod
    def _error(quoted: str, payload: Payload) -> str:
        errors = orjson.dumps(orjson.loads(payload.body)["errors"]).decode()
        return f'{{"id":{quoted},"type":"error","payload":{errors}}}'

    async def _send(self, text: str) -> None:
        """Return once the socket has taken the frame."""
        async with self._lock:
            self._blocked_since = asyncio.get_running_loop().time()
            try:
                await self._send_message({"type": "websocket.send", "text": text})
            finally:
                self._blocked_since = None


def _close_code(refusal: Refused) -> int:
    return refusal.close_code if refusal.close_code >= 4401 else 4403


def _reason(refusal: Refused) -> str:
    return refusal.message.encode()[:120].decode(errors="ignore")


async def _close(send: Send, code: int, reason: str) -> None:
    await send({"type": "websocket.close", "code": code, "reason": reason})
