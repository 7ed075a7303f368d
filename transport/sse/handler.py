"""Streams over HTTP: one an operation (graphql-sse, multipart), or one for many (graphql-sse)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import ExitStack, aclosing, contextmanager
from typing import Any

import orjson

from transport.execution.engine import Call, Engine
from transport.overload.memory_budget import (
    MEMORY_LIMIT,
    NO_MEMORY,
    ConnectionMemory,
    DocumentsInUse,
    MemoryBudget,
)
from transport.overload.open_connections import OpenConnections
from transport.protocol.asgi import Receive, Send, start_response
from transport.protocol.errors import (
    BadRequest,
    Conflict,
    GraphQLHTTPError,
    NotFound,
    Overloaded,
    TokenExpired,
)
from transport.protocol.expiry import seconds_until, until_expired
from transport.protocol.keepalive import Heartbeat
from transport.protocol.limits import Limits
from transport.protocol.payload import Payload
from transport.protocol.ports import ConnectionInfo, ContextFactory, MessageBus, Meters, as_awaited
from transport.protocol.request import OperationRequest

from .directory import Message, StreamDirectory
from .event_stream import EventStream, EventWriter
from .formats import SSE, StreamFormat, sse_next
from .positions import in_short, position_of

TOKEN_HEADER = "x-graphql-event-stream-token"  # noqa: S105 - a header's name
TOKEN_PARAMETER = "token"  # noqa: S105 - a parameter's name
LAST_EVENT_ID = "last-event-id"
Answers = AsyncGenerator[tuple[Payload, str | None], None]
Write = Callable[[Payload, str | None], bytes]
"""Writes an answer and its event id."""


class EventStreams:
    """Serves every event stream of this process."""

    def __init__(
        self,
        engine: Engine,
        context_factory: ContextFactory,
        bus: MessageBus,
        heartbeat: Heartbeat,
        limits: Limits,
        meters: Meters,
        connections: OpenConnections,
        memory: MemoryBudget,
        documents: DocumentsInUse,
    ) -> None:
        self._engine = engine
        self._context_factory = context_factory
        self._directory = StreamDirectory(bus)
        self._heartbeat = heartbeat
        self._limits = limits
        self._meters = meters
        self._connections = connections
        self._memory = memory
        self._documents = documents
        self._open: set[asyncio.Future[str]] = set()

    async def refuse(self, error: GraphQLHTTPError, written: StreamFormat, send: Send) -> None:
        """Send an error in the stream: a browser's EventSource cannot read a response of 400."""
        payload = self._engine.encoder.request_error(error.errors)
        await start_response(send, 200, written.headers)
        body = written.opening + written.refusal(payload) + written.complete
        await send({"type": "http.response.body", "body": body})

    async def distinct(
        self,
        call: Call,
        context: Any,
        info: ConnectionInfo,
        written: StreamFormat,
        receive: Receive,
        send: Send,
    ) -> None:
        """Serve one operation on a stream of its own."""

        async def run(writer: EventWriter) -> None:
            answers = self._answers(call, context, info.headers.get(LAST_EVENT_ID))
            await self._deliver(writer, answers, written.answer, written.refusal)
            await writer.write(written.complete)

        with self._connections.held(info), self._counted(call, written.name, info):
            await self._serve(info, written, receive, send, run)

    async def reserve(self, info: ConnectionInfo) -> str:
        """Reserve a stream and return its token. Raises: TooManyConnections, Unavailable."""
        token = secrets.token_urlsafe(24)
        stream = self._new_stream(token, info)
        with ExitStack() as held:
            held.enter_context(self._connections.held(info))
            await self._directory.hold(token, stream)
            stream.reservation = held.pop_all()
        loop = asyncio.get_running_loop()
        loop.call_later(self._limits.reservation_seconds, self._lapse, token, stream)
        return token

    async def attach(self, token: str, info: ConnectionInfo, receive: Receive, send: Send) -> None:
        """Open the reserved stream here, wherever it was reserved.

        Raises: NotFound, Conflict, RateLimited, TooManyConnections.
        """
        context = await as_awaited(self._context_factory(info))
        await self._engine.options.opening(info)
        expires_at = self._engine.options.expires_at(context)
        with self._connections.held(info):
            stream = await self._obtain(token, info)
            stream.claim()
            stream.reservation.close()
            await self._serve_reserved(token, stream, expires_at, info, receive, send)

    async def _serve_reserved(
        self,
        token: str,
        stream: EventStream,
        expires_at: float | None,
        info: ConnectionInfo,
        receive: Receive,
        send: Send,
    ) -> None:
        """Serve a stream of many operations, to its end."""

        async def run(writer: EventWriter) -> None:
            stream.open(writer, info.headers.get(LAST_EVENT_ID))
            await _wait_until(expires_at)
            for name in await stream.close():
                await writer.write(_next(name, self._expired(), None) + _complete(name))

        try:
            await self._serve(info, SSE, receive, send, run)
        finally:
            self._directory.release(token)
            await stream.close()

    async def submit(self, token: str, request: OperationRequest, info: ConnectionInfo) -> None:
        """Run an operation on its stream. Raises: BadRequest, NotFound, Conflict."""
        name = request.extensions.get("operationId")
        if not isinstance(name, str) or not name:
            raise BadRequest("extensions.operationId is missing.")
        self._check_id(name)
        message: Message = {
            "kind": "run",
            "id": name,
            "request": {
                "query": request.query,
                "document_hash": request.document_hash,
                "operation_name": request.operation_name,
                "variables": request.variables,
                "extensions": request.extensions,
            },
            "headers": dict(info.headers),
            "client": info.client,
        }
        message["size_bytes"] = len(orjson.dumps(message))
        await self._directory.ask(token, message)

    async def stop(self, token: str | None, operation_id: str | None) -> None:
        """Stop an operation on its stream. Raises: BadRequest, NotFound."""
        if not token or not operation_id:
            raise BadRequest("A stream token and operationId are needed.")
        self._check_id(operation_id)
        await self._directory.ask(token, {"kind": "stop", "id": operation_id})

    def _check_id(self, name: str) -> None:
        """Check an operation's id. Raises: BadRequest."""
        most = self._limits.operation_id_bytes
        if len(name.encode("utf-8", "surrogatepass")) > most:
            raise BadRequest(f"An operation's id may hold {most} bytes.")

    def close(self) -> None:
        """End every open stream, so that clients reconnect elsewhere."""
        for ended in list(self._open):
            _end(ended, "closing")

    def _new_stream(self, token: str, info: ConnectionInfo) -> EventStream:
        memory = ConnectionMemory(self._memory, self._engine.options.network(info))
        stream = EventStream(self._limits, memory, self._meters, self._run_message)
        stream.released = lambda: self._release(token, stream)
        return stream

    def _release(self, token: str, stream: EventStream) -> None:
        stream.reservation.close()
        self._directory.release(token)

    async def _obtain(self, token: str, info: ConnectionInfo) -> EventStream:
        held = self._directory.held(token)
        if isinstance(held, EventStream):
            if held.writer is not None:
                raise Conflict("The event stream is open already.")
            return held
        stream = self._new_stream(token, info)
        await self._directory.hold(token, stream)
        try:
            reply = await self._directory.ask_others(token, {"kind": "open"})
        except BaseException:
            self._directory.release(token)
            raise
        stream.adopt(reply["pending"])
        return stream

    def _lapse(self, token: str, stream: EventStream) -> None:
        stream.reservation.close()
        if stream.writer is None:
            stream.memory.close()
        if stream.writer is None and self._directory.held(token) is stream:
            self._directory.release(token)

    async def _answers(self, call: Call, context: Any, last_event_id: str | None) -> Answers:
        """The answers of an operation; a subscription ends with its token."""
        subscribed = call.operation.kind == "subscription"
        expires_at = self._engine.options.expires_at(context) if subscribed else None
        async with (
            aclosing(self._engine.answers(call, context, last_event_id)) as answers,
            aclosing(until_expired(answers, expires_at)) as lasting,
        ):
            async for item in lasting:
                yield item

    async def _run_message(self, stream: EventStream, message: Message) -> None:
        """Run an operation that was submitted, and end it with its complete event."""
        writer, name = stream.writer, message["id"]
        if writer is None:
            raise NotFound("The event stream is not open.")
        info = ConnectionInfo(message["headers"], message["client"], "sse")
        asked = in_short(message["request"])
        resumed = stream.resume_at(name, asked)
        last_event_id = position_of(info.headers.get(LAST_EVENT_ID), name, asked) or resumed
        answers = self._prepared(stream, message, info, last_event_id)

        def write(payload: Payload, event_id: str | None) -> bytes:
            return _next(name, payload, stream.positions.advance(name, asked, event_id))

        try:
            await self._deliver(writer, answers, write, lambda payload: _next(name, payload, None))
            await writer.write(_complete(name))
        finally:
            stream.positions.ended(name)

    async def _prepared(
        self, stream: EventStream, message: Message, info: ConnectionInfo, last_event_id: str | None
    ) -> Answers:
        context = await as_awaited(self._context_factory(info))
        call = await self._engine.prepare(OperationRequest(**message["request"]), context)
        with stream.subscribed(call), self._counted(call, "sse_single", info):
            async with aclosing(self._answers(call, context, last_event_id)) as answers:
                async for item in answers:
                    yield item

    async def _deliver(
        self, writer: EventWriter, answers: Answers, write: Write, refuse: Callable[[Payload], bytes]
    ) -> None:
        """Write every answer; an error is written as the last."""
        try:
            async with aclosing(answers):
                async for payload, event_id in answers:
                    await writer.write(write(payload, event_id))
        except GraphQLHTTPError as error:
            self._meters.refused(error.error_code)
            await writer.write(refuse(self._engine.encoder.request_error(error.errors)))
        except Exception as error:
            await writer.write(refuse(self._engine.encoder.fault(error)))

    def _expired(self) -> Payload:
        error = TokenExpired()
        self._meters.refused(error.error_code)
        return self._engine.encoder.request_error(error.errors)

    @contextmanager
    def _counted(self, call: Call, transport: str, info: ConnectionInfo) -> Iterator[None]:
        """Count a subscription while it is open. Raises: Overloaded."""
        document = call.operation
        if document.kind != "subscription":
            yield
            return
        if not self._documents.take(document, document.size_bytes, self._engine.options.network(info)):
            self._meters.limited(MEMORY_LIMIT)
            raise Overloaded(NO_MEMORY)
        self._meters.subscriptions(transport, 1)
        try:
            yield
        finally:
            self._meters.subscriptions(transport, -1)
            self._documents.release(document)

    async def _serve(
        self,
        info: ConnectionInfo,
        written: StreamFormat,
        receive: Receive,
        send: Send,
        run: Callable[[EventWriter], Awaitable[None]],
    ) -> None:
        """Keep a stream open until it is done, its client leaves or is dropped, or the server closes.

        A server that closes ends the response without `complete`: then clients connect again by themselves.
        """
        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        memory = ConnectionMemory(self._memory, self._engine.options.network(info))
        writer = EventWriter(send, written, self._limits, memory, lambda: _end(ended, "slow"))
        await writer.open()
        self._open.add(ended)
        self._heartbeat.add(writer)
        running = asyncio.ensure_future(run(writer))
        leaving = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait((running, leaving, ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open.discard(ended)
            self._heartbeat.remove(writer)
            running.cancel()
            leaving.cancel()
            await asyncio.gather(running, leaving, return_exceptions=True)
        if ended.done() and ended.result() == "slow":
            self._meters.dropped(written.name, "slow")
        elif not leaving.done() or leaving.cancelled():
            await writer.end(b"")


async def _wait_until(expires_at: float | None) -> None:
    """Wait until a time in seconds of the epoch, or without end."""
    if expires_at is None:
        await asyncio.Event().wait()
    else:
        await asyncio.sleep(seconds_until(expires_at))


def _end(ended: asyncio.Future[str], reason: str) -> None:
    if not ended.done():
        ended.set_result(reason)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _complete(name: str) -> bytes:
    return b'event: complete\ndata: {"id":' + orjson.dumps(name) + b"}\n\n"


def _next(name: str, payload: Payload, event_id: str | None) -> bytes:
    """Write an answer of one of a stream's operations."""
    return sse_next(b'{"id":' + orjson.dumps(name) + b',"payload":' + payload.body + b"}", event_id)
