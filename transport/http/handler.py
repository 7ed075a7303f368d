"""GraphQL over HTTP: GET and POST, media types, caching headers, refusals."""

from __future__ import annotations

from dataclasses import dataclass

from kit.cache import Cache
from transport.documents.variables import are_unchangeable
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
from transport.protocol.errors import MethodNotAllowed, NotAcceptable, Refused
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
from transport.responses.answering import Answering, Begun
from transport.responses.answers import Answer
from transport.responses.heads import Head, ResponsePreferences, head_of, preferences_of, refusal_head
from transport.sse.handler import TOKEN_HEADER, TOKEN_PARAMETER, EventStreams

ALLOW = "GET, POST, PUT, DELETE, OPTIONS"
REMEMBERED_BYTES = 4_096
REMEMBERED_TIMES = 16
"""So much more memory than bytes a request takes, with its variables read."""
Asked = tuple[str, bytes, bool]
"""A request as it came: method, body or query string, and whether it asks for its cost."""


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


class HttpTransport:
    """Answers HTTP requests; event streams are handed on."""

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
        self._calls: Cache[Asked, Call] = Cache(
            max_entries=limits.documents, max_bytes=limits.document_cache_bytes
        )

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every fault becomes a response with a code."""
        info = connection_info(scope, "http")
        exchange = Exchange(scope, receive, send, info, preferences_of(scope["method"], info.headers), {})
        try:
            await self._route(exchange)
        except ClientGone:
            return
        except Refused as refusal:
            await self._send(exchange, *self._refused(exchange.preferences, refusal))
        except Exception as error:
            await self._send(exchange, *self._failed(exchange.preferences, error))

    async def respond_to(
        self, preferences: ResponsePreferences, info: ConnectionInfo, raw: bytes, begun: Begun | None
    ) -> tuple[Head, Answer]:
        """Answer one whole request that wants no stream, as `handle` does; what has begun already is ended.

        `raw` is a POST's body or a GET's query string.
        """
        try:
            if begun is not None:
                answer = await begun.answer
                return head_of(preferences, begun.call, answer), answer
            asked = self._asked(preferences, raw)
            context = await as_awaited(self.context_factory(info))
            call = await self._prepared(preferences, raw, asked)
            self._check_operation(preferences, call, streaming=False)
            answer = await self.answering.answer(call, context, info)
            return head_of(preferences, call, answer), answer
        except Refused as refusal:
            return self._refused(preferences, refusal)
        except Exception as error:
            return self._failed(preferences, error)

    async def _route(self, exchange: Exchange) -> None:
        exchange.parameters = read_query_string(exchange.scope.get("query_string", b""))
        method, token = exchange.method, exchange.token
        if method == "OPTIONS":
            await respond(exchange.send, 204, [("allow", ALLOW)], b"")
        elif method == "PUT":
            await self._reserve(exchange)
        elif method == "DELETE":
            await self._stop(exchange, token)
        elif method == "GET" and token and exchange.accepted.stream:
            await self._streams.attach(token, exchange.info, exchange.receive, exchange.send)
        elif method == "POST" and token:
            await self._submit(exchange, token)
        elif method in ("GET", "POST"):
            await self._execute(exchange)
        else:
            raise MethodNotAllowed(f"{method} is not served here.", allow=ALLOW)

    async def _read_raw(self, exchange: Exchange) -> bytes:
        if exchange.method == "GET":
            query_string: bytes = exchange.scope.get("query_string", b"")
            return query_string
        headers = exchange.info.headers
        check_json_body(headers)
        return await read_body(headers, exchange.receive, self._limits.body_bytes)

    def _asked(self, preferences: ResponsePreferences, raw: bytes) -> Call | OperationRequest:
        """What is asked for: known from an earlier request of the very same bytes, or read."""
        return self.remembered(preferences, raw) or self._parse(preferences, raw)

    @staticmethod
    def _parse(preferences: ResponsePreferences, raw: bytes) -> OperationRequest:
        if preferences.method == "GET":
            return read_parameters(read_query_string(raw))
        return read_operation(decode_json(raw))

    async def _prepared(
        self, preferences: ResponsePreferences, raw: bytes, asked: Call | OperationRequest
    ) -> Call:
        if isinstance(asked, Call):
            return asked
        call = await self._engine.prepare(asked, preferences.wants_cost)
        if asked.query is None or asked.document_hash is None:
            self._remember(preferences, raw, call)  # but not what registers a document, each time it is sent
        return call

    async def _execute(self, exchange: Exchange) -> None:
        preferences = exchange.preferences
        if preferences.accepted.media_type is None and not preferences.accepted.stream:
            raise NotAcceptable(f"{JSON} and text/event-stream are served here.")
        raw = await self._read_raw(exchange)
        asked = self._asked(preferences, raw)
        context = await as_awaited(self.context_factory(exchange.info))
        try:
            call = await self._prepared(preferences, raw, asked)
            self._check_operation(preferences, call, streaming=self._streams_to(preferences.accepted, call))
        except Refused as refusal:
            if preferences.accepted.media_type is not None:
                raise
            self._meters.refused(refusal.error_code)
            await self._streams.refuse(refusal, exchange.send)
            return
        if self._streams_to(preferences.accepted, call):
            await self._streams.distinct(call, context, exchange.info, exchange.receive, exchange.send)
            return
        answer = await self.answering.answer(call, context, exchange.info)
        await self._send(exchange, head_of(preferences, call, answer), answer)

    def remembered(self, preferences: ResponsePreferences, raw: bytes) -> Call | None:
        """What an earlier request of the very same body or query string was about."""
        return self._calls.get((preferences.method, raw, preferences.wants_cost))

    def _remember(self, preferences: ResponsePreferences, raw: bytes, call: Call) -> None:
        """Spare the next request of the very same bytes everything that needs no context.

        Only where no value that the call holds could be changed by who runs it.
        """
        if call.extensions or len(raw) > REMEMBERED_BYTES:
            return
        if are_unchangeable(call.variables):
            key = (preferences.method, raw, preferences.wants_cost)
            self._calls.put(key, call, size_bytes=REMEMBERED_TIMES * len(raw), shared=call.operation)

    @staticmethod
    def _check_operation(preferences: ResponsePreferences, call: Call, *, streaming: bool) -> None:
        kind = call.operation.kind
        if preferences.method == "GET" and kind == "mutation":
            raise MethodNotAllowed("A GET runs queries only.", allow="POST")
        if kind == "subscription" and not streaming:
            if preferences.method == "GET":
                raise MethodNotAllowed("A GET runs queries only.", allow="POST")
            raise NotAcceptable("A subscription needs text/event-stream or a WebSocket.")

    @staticmethod
    def _streams_to(chosen: Accepted, call: Call) -> bool:
        """An event stream, where the client takes nothing else or the operation needs one."""
        return chosen.stream and (chosen.media_type is None or call.operation.kind == "subscription")

    async def _reserve(self, exchange: Exchange) -> None:
        await as_awaited(self.context_factory(exchange.info))
        token = await self._streams.reserve()
        headers = [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")]
        await respond(exchange.send, 201, headers, token.encode())

    async def _submit(self, exchange: Exchange, token: str) -> None:
        request = self._parse(exchange.preferences, await self._read_raw(exchange))
        await as_awaited(self.context_factory(exchange.info))
        await self._engine.prepare(request)
        await self._streams.submit(token, request, exchange.info)
        await respond(exchange.send, 202, [("cache-control", "no-store")], b"")

    async def _stop(self, exchange: Exchange, token: str | None) -> None:
        await as_awaited(self.context_factory(exchange.info))
        await self._streams.stop(token, exchange.parameters.get("operationId"))
        await respond(exchange.send, 200, [("cache-control", "no-store")], b"")

    def _refused(self, preferences: ResponsePreferences, refusal: Refused) -> tuple[Head, Answer]:
        self._meters.refused(refusal.error_code)
        lenient = refusal.well_formed and preferences.accepted.named_json
        answer = Answer(self._engine.encoder.refusal(refusal.errors))
        status = 200 if lenient else refusal.status
        headers = (*refusal.headers, ("cache-control", "no-store"))
        return refusal_head(preferences, status, answer, headers), answer

    def _failed(self, preferences: ResponsePreferences, error: Exception) -> tuple[Head, Answer]:
        fault = Answer(self._engine.encoder.fault(error))
        return refusal_head(preferences, 500, fault, ()), fault

    @staticmethod
    async def _send(exchange: Exchange, head: Head, answer: Answer) -> None:
        if head.has_body:
            await respond(exchange.send, head.status, list(head.headers), await answer.body(head.encoding))
            return
        await start_response(exchange.send, head.status, head.headers)
        await exchange.send({"type": "http.response.body", "body": b""})
