"""GraphQL over HTTP: GET and POST, media types, caching headers, refusals."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from types import NoneType
from typing import Any

import orjson

from .answers import Answer, matches
from .asgi import (
    ClientGone,
    Receive,
    Scope,
    Send,
    check_json_body,
    connection_info,
    read_body,
    respond,
)
from .engine import Call, Engine
from .errors import Header, MethodNotAllowed, NotAcceptable, Refused
from .limits import Limits
from .lru import LeastRecentlyUsed
from .negotiation import JSON, Accepted, accepted, encoding_of
from .options import ServerOptions
from .payload import Payload
from .ports import ConnectionInfo, ContextFactory, Meters
from .request import (
    OperationRequest,
    decode_json,
    read_operation,
    read_parameters,
    read_query_string,
)
from .response_cache import ResponseCache
from .sse import TOKEN_HEADER, TOKEN_PARAMETER, EventStreams

ALLOW = "GET, POST, PUT, DELETE, OPTIONS"
VARY = "Accept, Accept-Encoding, Authorization"
COST_HEADER = "x-graphql-cost"
"""A request that carries this header is told its cost in extensions.cost."""
REMEMBERED_BYTES = 4_096
Asked = tuple[str, bytes, bool]
"""A request as it came: method, body or query string, and whether it asks for its cost."""


@dataclass(slots=True)
class Exchange:
    """One HTTP request on its way to its response."""

    scope: Scope
    receive: Receive
    send: Send
    info: ConnectionInfo
    accepted: Accepted
    parameters: dict[str, str]

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
        streams: EventStreams,
        context_factory: ContextFactory,
        cache: ResponseCache,
        limits: Limits,
        options: ServerOptions,
        meters: Meters,
    ) -> None:
        self._engine = engine
        self._streams = streams
        self._context_factory = context_factory
        self._cache = cache
        self._limits = limits
        self._options = options
        self._meters = meters
        self._calls: LeastRecentlyUsed[Asked, Call] = LeastRecentlyUsed(limits.documents)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every fault becomes a response with a code."""
        info = connection_info(scope, "http")
        chosen = accepted(info.headers.get("accept", ""))
        exchange = Exchange(scope, receive, send, info, chosen, {})
        try:
            await self._route(exchange)
        except ClientGone:
            return
        except Refused as refusal:
            await self._refuse(exchange, refusal)
        except Exception as error:
            await self._send(exchange, 500, Answer(self._engine.encoder.fault(error)), [])

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

    @staticmethod
    def _parse(exchange: Exchange, raw: bytes) -> OperationRequest:
        if exchange.method == "GET":
            return read_parameters(exchange.parameters)
        return read_operation(decode_json(raw))

    async def _execute(self, exchange: Exchange) -> None:
        if exchange.accepted.media_type is None and not exchange.accepted.stream:
            raise NotAcceptable(f"{JSON} and text/event-stream are served here.")
        raw = await self._read_raw(exchange)
        asked = (exchange.method, raw, COST_HEADER in exchange.info.headers)
        call = self._calls.get(asked)
        request = self._parse(exchange, raw) if call is None else None
        context = await self._context_factory(exchange.info)
        try:
            if request is not None:
                call = await self._engine.prepare(request, asked[-1])
                self._remember(asked, call)
            assert call is not None
            self._check_operation(exchange, call)
        except Refused as refusal:
            if exchange.accepted.media_type is not None:
                raise
            self._meters.refused(refusal.error_code)
            await self._streams.refuse(refusal, exchange.send)
            return
        if self._streams_to(exchange.accepted, call):
            await self._streams.distinct(call, context, exchange.info, exchange.receive, exchange.send)
        else:
            await self._answer(exchange, call, context)

    def _remember(self, asked: Asked, call: Call) -> None:
        """Spare the next request of the very same bytes everything that needs no context.

        Only where no value that the call holds could be changed by who runs it.
        """
        values = call.variables.coerced.values()
        immutable = all(isinstance(value, (str, int, float, NoneType)) for value in values)
        if immutable and not call.extensions and len(asked[1]) <= REMEMBERED_BYTES:
            self._calls.put(asked, call)

    def _check_operation(self, exchange: Exchange, call: Call) -> None:
        kind = call.operation.kind
        streaming = self._streams_to(exchange.accepted, call)
        if exchange.method == "GET" and kind == "mutation":
            raise MethodNotAllowed("A GET runs queries only.", allow="POST")
        if kind == "subscription" and not streaming:
            if exchange.method == "GET":
                raise MethodNotAllowed("A GET runs queries only.", allow="POST")
            raise NotAcceptable("A subscription needs text/event-stream or a WebSocket.")

    @staticmethod
    def _streams_to(chosen: Accepted, call: Call) -> bool:
        """An event stream, where the client takes nothing else or the operation needs one."""
        return chosen.stream and (chosen.media_type is None or call.operation.kind == "subscription")

    async def _answer(self, exchange: Exchange, call: Call, context: Any) -> None:
        answer = await self._computed(call, context, exchange.info)
        if exchange.method == "POST":
            await self._send(exchange, 200, answer, [("cache-control", "no-store")])
            return
        headers = [("cache-control", self._cache_control(exchange, call, answer))]
        if answer.payload.failed:
            await self._send(exchange, 200, answer, headers)
            return
        etag = answer.etag(answer.encoding(self._encoding(exchange)))
        headers += [("etag", etag), ("vary", VARY)]
        if matches(exchange.info.headers.get("if-none-match", ""), etag):
            await respond_not_modified(exchange, headers)
        else:
            await self._send(exchange, 200, answer, headers)

    async def _computed(self, call: Call, context: Any, info: ConnectionInfo) -> Answer:
        async def compute() -> Answer:
            payload = await self._engine.run(call, context)
            return Answer(payload, personal=self._options.is_personal(context))

        policy = call.operation.policy
        rights = self._shared_rights(context, info)
        if not policy.shareable or rights is None or call.wants_cost:
            return await compute()
        key = self._key(call, rights)
        ttl_s = min(policy.max_age_s, self._options.response_ttl_s)
        return await self._cache.answer(key, ttl_s, compute)

    def _shared_rights(self, context: Any, info: ConnectionInfo) -> Hashable | None:
        """Who may read the same answer: those of equal rights, or all who show no credentials."""
        rights = self._options.rights(context)
        if rights is not None:
            return rights
        credentials = "authorization" in info.headers or "cookie" in info.headers
        return None if credentials else "anonymous"

    def _key(self, call: Call, rights: Hashable) -> Hashable:
        sources = call.variables.sources
        given = [(name, source.value) for name, source in sources.items()]
        version = self._options.data_version(call.operation, call.variables.coerced)
        packed = orjson.dumps(given, default=str)
        return (call.operation, packed, rights, version)

    @staticmethod
    def _cache_control(exchange: Exchange, call: Call, answer: Answer) -> str:
        if answer.payload.failed:
            return "no-store"
        if answer.personal or call.wants_cost:
            return "private, no-store"
        return call.operation.policy.header("authorization" in exchange.info.headers)

    async def _reserve(self, exchange: Exchange) -> None:
        await self._context_factory(exchange.info)
        token = await self._streams.reserve()
        headers = [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")]
        await respond(exchange.send, 201, headers, token.encode())

    async def _submit(self, exchange: Exchange, token: str) -> None:
        request = self._parse(exchange, await self._read_raw(exchange))
        await self._context_factory(exchange.info)
        await self._engine.prepare(request)
        await self._streams.submit(token, request, exchange.info)
        await respond(exchange.send, 202, [("cache-control", "no-store")], b"")

    async def _stop(self, exchange: Exchange, token: str | None) -> None:
        await self._streams.stop(token, exchange.parameters.get("operationId"))
        await respond(exchange.send, 200, [("cache-control", "no-store")], b"")

    async def _refuse(self, exchange: Exchange, refusal: Refused) -> None:
        self._meters.refused(refusal.error_code)
        lenient = refusal.well_formed and exchange.accepted.named_json
        payload: Payload = self._engine.encoder.refusal(refusal.errors)
        status = 200 if lenient else refusal.status
        headers = [*refusal.headers, ("cache-control", "no-store")]
        await self._send(exchange, status, Answer(payload), headers)

    def _encoding(self, exchange: Exchange) -> str | None:
        return encoding_of(exchange.info.headers.get("accept-encoding", ""))

    async def _send(self, exchange: Exchange, status: int, answer: Answer, headers: list[Header]) -> None:
        encoding = answer.encoding(self._encoding(exchange))
        media_type = exchange.accepted.media_type or JSON
        sent = [("content-type", f"{media_type}; charset=utf-8"), *headers]
        if encoding:
            sent.append(("content-encoding", encoding))
        if not any(name == "vary" for name, _ in headers):
            sent.append(("vary", "Accept, Accept-Encoding"))
        await respond(exchange.send, status, sent, await answer.body(encoding))


async def respond_not_modified(exchange: Exchange, headers: list[Header]) -> None:
    """Answer 304: the client has this very body."""
    await exchange.send(
        {
            "type": "http.response.start",
            "status": 304,
            "headers": [(n.encode("latin-1"), v.encode("latin-1")) for n, v in headers],
        }
    )
    await exchange.send({"type": "http.response.body", "body": b""})
