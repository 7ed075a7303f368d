"""GraphQL over HTTP: GET, POST and QUERY (RFC 10008), media types, caching headers, errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from transport.execution.engine import Call, Engine
from transport.protocol.asgi import (
    ClientGone,
    Receive,
    Scope,
    Send,
    check_json_body,
    connection_info,
    read_body,
    respond,
    start_response,
)
from transport.protocol.errors import BadRequest, GraphQLHTTPError, MethodNotAllowed, NotAcceptable
from transport.protocol.limits import Limits
from transport.protocol.negotiation import JSON, Accepted
from transport.protocol.ports import ConnectionInfo, ContextFactory, Meters, as_awaited
from transport.protocol.request import (
    OperationRequest,
    decode_json,
    read_operation,
    read_parameters,
    read_query_string,
)
from transport.responses.answering import Answering
from transport.responses.answers import Answer
from transport.responses.heads import (
    ACCEPT_QUERY,
    Head,
    ResponsePreferences,
    error_head,
    head_of,
    preferences_of,
)
from transport.sse.formats import MULTIPART, SSE
from transport.sse.handler import TOKEN_HEADER, TOKEN_PARAMETER, EventStreams

ALLOW = "GET, POST, QUERY, PUT, DELETE, OPTIONS"


@dataclass(slots=True)
class Exchange:
    """One HTTP request on its way to its response."""

    scope: Scope
    receive: Receive
    send: Send
    info: ConnectionInfo
    preferences: ResponsePreferences
    parameters: dict[str, str]

    @property
    def accepted(self) -> Accepted:
        """What the client takes."""
        return self.preferences.accepted

    @property
    def method(self) -> str:
        return str(self.scope["method"])

    @property
    def token(self) -> str | None:
        """The event stream that the request belongs to, in single connection mode."""
        return self.info.headers.get(TOKEN_HEADER) or self.parameters.get(TOKEN_PARAMETER)


class HttpHandler:
    """Answers HTTP requests; passes event streams on."""

    def __init__(
        self,
        engine: Engine,
        answering: Answering,
        streams: EventStreams,
        context_factory: ContextFactory,
        limits: Limits,
        meters: Meters,
    ) -> None:
        self._engine = engine
        self.answering = answering
        self._streams = streams
        self.context_factory = context_factory
        self._limits = limits
        self._meters = meters

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every fault becomes a response with a code."""
        info = connection_info(scope, "http")
        exchange = Exchange(scope, receive, send, info, preferences_of(scope["method"], info.headers), {})
        try:
            await self._route(exchange)
        except ClientGone:
            return
        except GraphQLHTTPError as error:
            await self._send(exchange, *self._refused(exchange.preferences, error))
        except Exception as error:
            await self._send(exchange, *self._failed(exchange.preferences, error))

    async def respond(
        self, preferences: ResponsePreferences, info: ConnectionInfo, raw: bytes, call: Call | None = None
    ) -> tuple[Head, Answer]:
        """Answer one whole request that wants no stream, as `handle` does.

        `raw` is the body, or a GET's query string; `call` is what `call_at_hand` found in it.
        """
        try:
            return await self._answer(preferences, info, raw, call)
        except GraphQLHTTPError as error:
            return self._refused(preferences, error)
        except Exception as error:
            return self._failed(preferences, error)

    def call_at_hand(self, preferences: ResponsePreferences, raw: bytes) -> Call | None:
        """The call of a request whose document is known; None where `respond` has to wait, or to refuse."""
        try:
            return self._engine.prepare_known(self._parse(preferences, raw), preferences.wants_cost)
        except GraphQLHTTPError:
            return None

    async def _answer(
        self, preferences: ResponsePreferences, info: ConnectionInfo, raw: bytes, call: Call | None
    ) -> tuple[Head, Answer]:
        if call is None:
            context = await as_awaited(self.context_factory(info))
            request = await self._request(preferences, raw, context)
            call = await self._engine.prepare(request, context, preferences.wants_cost)
        else:
            context = await as_awaited(self.context_factory(info))
        self._check_operation(preferences, call, streaming=False)
        answer = await self.answering.answer(call, context, info)
        return head_of(preferences, call, answer), answer

    async def _route(self, exchange: Exchange) -> None:
        exchange.parameters = read_query_string(exchange.scope.get("query_string", b""))
        method, token = exchange.method, exchange.token
        if method == "OPTIONS":
            await respond(exchange.send, 204, [("allow", ALLOW), ACCEPT_QUERY], b"")
        elif method == "PUT":
            await self._reserve(exchange)
        elif method == "DELETE":
            await self._stop(exchange, token)
        elif method == "GET" and token and exchange.accepted.stream:
            await self._streams.attach(token, exchange.info, exchange.receive, exchange.send)
        elif method == "POST" and token:
            await self._submit(exchange, token)
        elif method in ("GET", "POST", "QUERY"):
            await self._execute(exchange)
        else:
            raise MethodNotAllowed(f"{method} is not served here.", allow=ALLOW)

    async def _read_raw(self, exchange: Exchange) -> bytes:
        if exchange.method == "GET":
            query_string: bytes = exchange.scope.get("query_string", b"")
            return query_string
        headers = exchange.info.headers
        check_json_body(headers, exchange.method)
        return await read_body(headers, exchange.receive, self._limits.body_bytes)

    async def _request(self, preferences: ResponsePreferences, raw: bytes, context: Any) -> OperationRequest:
        """Parse a request; one that is malformed is charged for. Raises: BadRequest, RateLimited."""
        try:
            return self._parse(preferences, raw)
        except BadRequest:
            await self._engine.charge_refusal(context)
            raise

    @staticmethod
    def _parse(preferences: ResponsePreferences, raw: bytes) -> OperationRequest:
        if preferences.method == "GET":
            return read_parameters(read_query_string(raw))
        return read_operation(decode_json(raw))

    async def _execute(self, exchange: Exchange) -> None:
        preferences = exchange.preferences
        if preferences.accepted.media_type is None and not preferences.accepted.streams:
            raise NotAcceptable(f"{JSON} and text/event-stream are served here.")
        raw = await self._read_raw(exchange)
        if preferences.accepted.streams:
            await self._execute_or_stream(exchange, raw)
        else:
            await self._send(exchange, *await self._answer(preferences, exchange.info, raw, None))

    async def _execute_or_stream(self, exchange: Exchange, raw: bytes) -> None:
        """Answer a client that takes a stream: with one where it takes nothing else or subscribes."""
        preferences = exchange.preferences
        written = SSE if preferences.accepted.stream else MULTIPART
        context = await as_awaited(self.context_factory(exchange.info))
        request = await self._request(preferences, raw, context)
        try:
            call = await self._engine.prepare(request, context, preferences.wants_cost)
            streaming = self._streams_to(preferences.accepted, call)
            self._check_operation(preferences, call, streaming=streaming)
        except GraphQLHTTPError as error:
            if preferences.accepted.media_type is not None:
                raise
            self._meters.refused(error.error_code)
            await self._streams.refuse(error, written, exchange.send)
            return
        if streaming:
            await self._streams.distinct(
                call, context, exchange.info, written, exchange.receive, exchange.send
            )
            return
        answer = await self.answering.answer(call, context, exchange.info)
        await self._send(exchange, head_of(preferences, call, answer), answer)

    @staticmethod
    def _check_operation(preferences: ResponsePreferences, call: Call, *, streaming: bool) -> None:
        kind = call.operation.kind
        safe = preferences.method in ("GET", "QUERY")
        if safe and (kind == "mutation" or (kind == "subscription" and not streaming)):
            raise MethodNotAllowed(f"A {preferences.method} runs queries only.", allow="POST")
        if kind == "subscription" and not streaming:
            raise NotAcceptable("A subscription needs text/event-stream, multipart/mixed or a WebSocket.")

    @staticmethod
    def _streams_to(chosen: Accepted, call: Call) -> bool:
        """A stream, where the client takes nothing else or the operation needs one."""
        return chosen.streams and (chosen.media_type is None or call.operation.kind == "subscription")

    async def _reserve(self, exchange: Exchange) -> None:
        context = await as_awaited(self.context_factory(exchange.info))
        await self._engine.options.charge(context, 1, self._limits.reservation_cost)
        token = await self._streams.reserve(exchange.info)
        headers = [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")]
        await respond(exchange.send, 201, headers, token.encode())

    async def _submit(self, exchange: Exchange, token: str) -> None:
        raw = await self._read_raw(exchange)
        context = await as_awaited(self.context_factory(exchange.info))
        request = await self._request(exchange.preferences, raw, context)
        await self._engine.prepare(request, context)
        await self._streams.submit(token, request, exchange.info)
        await respond(exchange.send, 202, [("cache-control", "no-store")], b"")

    async def _stop(self, exchange: Exchange, token: str | None) -> None:
        context = await as_awaited(self.context_factory(exchange.info))
        await self._engine.options.charge(context, 1, 1)
        await self._streams.stop(token, exchange.parameters.get("operationId"))
        await respond(exchange.send, 200, [("cache-control", "no-store")], b"")

    def _refused(self, preferences: ResponsePreferences, error: GraphQLHTTPError) -> tuple[Head, Answer]:
        self._meters.refused(error.error_code)
        lenient = error.well_formed and preferences.accepted.named_json
        answer = Answer(self._engine.encoder.request_error(error.errors))
        status = 200 if lenient else error.status
        headers = (*error.headers, ("cache-control", "no-store"))
        return error_head(preferences, status, answer, headers), answer

    def _failed(self, preferences: ResponsePreferences, error: Exception) -> tuple[Head, Answer]:
        fault = Answer(self._engine.encoder.fault(error))
        return error_head(preferences, 500, fault, ()), fault

    @staticmethod
    async def _send(exchange: Exchange, head: Head, answer: Answer) -> None:
        if head.has_body:
            await respond(exchange.send, head.status, list(head.headers), await answer.body(head.encoding))
            return
        await start_response(exchange.send, head.status, head.headers)
        await exchange.send({"type": "http.response.body", "body": b""})
