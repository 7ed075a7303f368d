"""The fast path on real sockets: it answers as the ASGI path does, and gives each caller their own answer."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from kit.spans import Fact
from tests.transport.clients import until
from tests.transport.servers import (
    ADA,
    BOB,
    HELLO,
    ME,
    SHOP,
    answered,
    bodies,
    raw_post,
    toy_server,
    whole_post,
)
from tests.transport.toy import Context, rights_of
from transport import ServerOptions

TRACEPARENT = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
PROXY = {"x-request-id": "proxy-7", "x-forwarded-for": "10.0.0.9", **TRACEPARENT}

CASES = [
    ("GET", "{ hello }", {}, "cached"),
    ("POST", "{ hello }", {}, "cached"),
    ("GET", "{ hello }", ADA, "cached"),
    ("GET", "{ hello }", {"x-request-id": "mine"}, "cached"),
    ("GET", "{ hello }", {"x-request-id": "not a good id"}, "cached"),
    ("GET", "{ hello }", TRACEPARENT, "cached"),
    ("GET", "{ hello }", {"origin": SHOP}, "cached"),
    ("POST", "{ hello }", {"origin": "https://other.example", **PROXY}, "cached"),
    ("POST", "{ me { name } }", {"origin": SHOP, **ADA, **PROXY}, "task"),
    ("POST", "{ hello boom }", {"origin": SHOP}, "task"),
    ("GET", "{ hello }", {"origin": SHOP, "accept": "text/plain"}, "asgi"),
    ("POST", "{ hello }", {**ADA, **PROXY}, "cached"),
    ("GET", "{ me { name } }", ADA, "task"),
    ("GET", "{ me { name } }", {**ADA, **PROXY}, "task"),
    ("POST", "{ ratio(of: 2.5) }", ADA, "task"),
    ("GET", "{ hello boom }", {}, "task"),
    ("POST", "{ ratio(of: 1) boom }", PROXY, "task"),
    ("GET", "{ large: hello }", {"accept-encoding": "gzip"}, "cached"),
    ("GET", "{ large }", {"accept-encoding": "gzip"}, "task"),
    ("POST", "{ large }", {"accept-encoding": "br"}, "task"),
    ("GET", "{ large }", {"accept-encoding": "identity"}, "task"),
    ("GET", "{ hello }", {"if-none-match": "*"}, "cached"),
    ("GET", "{ hello }", {"if-none-match": "*", **PROXY}, "cached"),
    ("GET", "{ hello }", {"if-none-match": '"other"'}, "cached"),
    ("GET", "{ hello }", {"accept": "application/graphql-response+json"}, "cached"),
    ("GET", "{ hello }", {"accept": "text/event-stream"}, "asgi"),
    ("GET", "{ hello }", {"accept": "text/plain"}, "asgi"),
    ("GET", "{ hello }", {"authorization": "Bearer bad"}, "task"),
    ("GET", "{ hello }", {"authorization": "Bearer bad", **PROXY}, "task"),
    ("POST", "{ hello }", {"content-type": "text/plain"}, "asgi"),
    ("POST", "{ hello }", {"content-encoding": "gzip"}, "asgi"),
    ("POST", "{ ratio(of: 1) }", {"x-graphql-cost": "1"}, "task"),
    ("POST", "{ ratio(of: 1) calls }", {}, "task"),
    ("GET", "mutation { bump }", {}, "task"),
    ("POST", "mutation { bump }", ADA, "task"),
    ("POST", "mutation { bump }", {**ADA, **PROXY}, "task"),
    ("POST", "{ nope }", {}, "task"),
    ("POST", "{ nope }", PROXY, "task"),
    ("POST", "{ hello ", {"accept": "application/graphql-response+json"}, "task"),
    ("POST", "subscription { updates { version } }", {}, "task"),
]


@pytest.mark.parametrize(("method", "query", "headers", "path"), CASES)
async def test_every_byte_is_the_same_when_the_fast_path_is_taken(
    method: str, query: str, headers: dict[str, str], path: str
) -> None:
    data = request_bytes(method, query, headers)

    async def answers(fast: bool) -> tuple[list[bytes], list[str]]:
        async with toy_server(fast=fast) as here:
            reader, writer = await here.connect()
            found = []
            for _ in range(3):
                writer.write(data)
                found.append(await whole_response(reader))
            writer.close()
        return found, here.paths

    by_fast_path, paths = await answers(fast=True)
    by_asgi, _ = await answers(fast=False)

    assert [without_drawn(answer) for answer in by_fast_path] == [without_drawn(answer) for answer in by_asgi]
    assert all(b"x-request-id: " in answer for answer in by_fast_path)
    assert paths[0] == ("asgi" if path == "asgi" else "task")
    assert paths[-1] == path


async def test_the_caller_s_request_id_comes_back_when_the_answer_is_cached() -> None:
    async with toy_server() as here:
        answers = [await here.post(HELLO, {"x-request-id": f"proxy-{number}"}) for number in range(3)]

    assert [answer.headers["x-request-id"] for answer in answers] == ["proxy-0", "proxy-1", "proxy-2"]
    assert here.paths == ["task", "cached", "cached"]


async def test_answers_come_from_the_cache_when_only_variables_repeat() -> None:
    query = "query ($name: String!) { hello(name: $name) }"
    bodies = [
        json.dumps({"query": query, "variables": {"name": name}, "extensions": {"client": number}})
        for number, name in enumerate(["ada", "bob", "ada", "bob"])
    ]
    async with toy_server() as here:
        answers = [(await here.post(body)).json()["data"]["hello"] for body in bodies]

    assert answers == ["hello ada", "hello bob", "hello ada", "hello bob"]
    assert here.paths == ["task", "task", "cached", "cached"]


class RecordingSpan:
    """A span that is remembered by its tracer."""

    trace_id, traceparent = "0" * 31 + "1", "00-1-1-01"

    def __init__(self, tracer: RecordingTracer, name: str, parent: str | None) -> None:
        self.name, self.parent = name, parent
        self.facts: dict[str, Fact] = {}
        self._tracer = tracer

    def child(self, name: str, facts: Mapping[str, Fact]) -> RecordingSpan:
        return RecordingSpan(self._tracer, name, "span")

    def note(self, name: str, fact: Fact) -> None:
        self.facts[name] = fact

    def end(self, fault: BaseException | None) -> None:
        self._tracer.ended.append(self)


class RecordingTracer:
    """A tracer that remembers the spans that ended."""

    def __init__(self) -> None:
        self.ended: list[RecordingSpan] = []

    def begin(self, name: str, *, traceparent: str | None = None, **_: Any) -> RecordingSpan:
        return RecordingSpan(self, name, traceparent)

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("fast", [True, False])
async def test_every_request_has_its_span_when_the_process_traces(fast: bool) -> None:
    tracer = RecordingTracer()
    async with toy_server(tracer=tracer, fast=fast) as here:
        for _ in range(2):
            await here.post(HELLO, TRACEPARENT)

    assert here.paths == (["task", "cached"] if fast else [])
    assert [(span.name, span.parent) for span in tracer.ended] == [
        ("POST graphql", TRACEPARENT["traceparent"])
    ] * 2
    assert [span.facts for span in tracer.ended] == [{"http.response.status_code": 200}] * 2


@pytest.mark.parametrize("fast", [True, False])
async def test_a_fault_is_masked_and_named_when_no_handler_answers_it(
    fast: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr("transport.http.handler.HttpHandler._answer", broken)
    monkeypatch.setattr("transport.http.handler.HttpHandler._failed", broken)
    async with toy_server(fast=fast) as here:
        answer = await here.post(HELLO, {"x-request-id": "mine"})

    error = answer.json()["errors"][0]
    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "mine")
    assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR"}
    assert error["message"].removeprefix("Internal error ") in caplog.text
    assert here.shedder.in_flight == here.shedder.announced == 0


def request_bytes(method: str, query: str, headers: dict[str, str]) -> bytes:
    """A whole request for a query."""
    body = b"" if method == "GET" else json.dumps({"query": query}).encode()
    target = f"/graphql?{urlencode({'query': query})}" if method == "GET" else "/graphql"
    sent = {"host": "a", "accept": "*/*", **headers}
    if method == "POST":
        sent = {"content-type": "application/json", "content-length": str(len(body)), **sent}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    return "\r\n".join(lines).encode() + body


async def whole_response(reader: asyncio.StreamReader) -> bytes:
    """All bytes of the next response."""
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        if b"transfer-encoding: chunked" in head:
            return head + await reader.readuntil(b"0\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        return head + (await reader.readexactly(int(length[1])) if length else b"")


def without_drawn(answer: bytes) -> bytes:
    """A response without its date and what is drawn anew each time: ids of requests and errors."""
    answer = re.sub(rb"date: [^\r]*\r\n", b"", answer)
    return re.sub(rb'(x-request-id: |"logId":")[0-9a-f]{16}(?=[\r"])', rb"\1", answer)


async def test_every_caller_reads_their_own_when_their_requests_are_the_same_bytes() -> None:
    async with toy_server() as here:
        answers = []
        for _ in range(5):
            for headers in (ADA, BOB, {}):
                answer = (await here.post(ME, headers)).json()["data"]
                answers.append(answer["me"] and answer["me"]["name"])

    assert answers == ["ada", "bob", None] * 5
    assert set(here.paths) == {"task"}


async def test_a_cached_answer_is_shared_only_when_rights_are_equal() -> None:
    def rights(context: Context) -> str | None:
        return None if context.user == "ada" else "public"

    options = ServerOptions(rights=rights, compiled=True)
    body = '{"query":"{ calls }"}'
    async with toy_server(options=options) as here:
        shared = [(await here.post(body, headers)).json()["data"]["calls"] for headers in ({}, BOB, {}, BOB)]
        own = [(await here.post(body, ADA)).json()["data"]["calls"] for _ in range(2)]
        shared_again = (await here.post(body, BOB)).json()["data"]["calls"]

    assert (shared, own, shared_again) == ([1, 1, 1, 1], [2, 3], 1)


async def test_update_shows_at_once_when_the_data_version_changes() -> None:
    async with toy_server() as here:
        world = here.world
    options = ServerOptions(rights=rights_of, data_version=lambda *_: world.data_version, compiled=True)
    async with toy_server(options=options) as here:
        before = [(await here.client.get("/graphql?query={calls}")).text for _ in range(3)]
        world.data_version += 1
        after = (await here.client.get("/graphql?query={calls}")).text

    assert set(before) == {'{"data":{"calls":1}}'}
    assert after == '{"data":{"calls":2}}'


async def test_a_bad_token_is_refused_when_other_callers_took_the_fast_path() -> None:
    async with toy_server() as here:
        answers = [await here.post(ME, headers) for headers in ({}, {}, {"authorization": "Bearer bad"}, {})]

    assert [answer.status_code for answer in answers] == [200, 200, 401, 200]


async def test_every_execution_is_admitted_when_limits_are_set() -> None:
    admitted = []

    async def admit(context: Context, *_: Any) -> None:
        admitted.append(context.user)

    options = ServerOptions(rights=rights_of, admit=admit, compiled=True)
    async with toy_server(options=options) as here:
        for _ in range(3):
            await here.post('{"query":"{ me { name } }"}', ADA)

    assert admitted == ["ada"] * 3
    assert here.paths == ["task"] * 3


async def test_a_body_is_read_whole_when_it_comes_in_pieces_chunked_or_large() -> None:
    query = b'{"query":"{ ratio(of: 3) }"}'
    large = query[:-1] + b" " * 40_000 + b"}"
    async with toy_server() as here:
        await here.post(query.decode())
        reader, writer = await here.connect()
        whole = raw_post(query, f"content-length: {len(query)}")
        for piece in (whole[:50], whole[50:-5], whole[-5:]):
            writer.write(piece)
            await writer.drain()
        in_pieces = await bodies(reader, 1)
        writer.write(raw_post(b"1c\r\n" + query + b"\r\n0\r\n\r\n", "transfer-encoding: chunked"))
        chunked = await bodies(reader, 1)
        writer.write(raw_post(large, f"content-length: {len(large)}"))
        in_large = await bodies(reader, 1)
        writer.close()

    assert len(query) == 0x1C
    assert in_pieces == chunked == in_large == [b'{"data":{"ratio":3.0}}']


async def test_the_asgi_path_closes_the_connection_when_the_process_is_stopping() -> None:
    async with toy_server() as here:
        await here.post(HELLO)
        await here.post(HELLO)
        here.shedder.draining = True
        answer = await here.post(HELLO)

    assert here.paths == ["task", "cached"]
    assert answer.headers["connection"] == "close"


async def test_a_quick_request_is_answered_in_its_turn_when_it_follows_a_slow_one() -> None:
    slow, fast = whole_post("{ ratio(of: 1) calls }"), whole_post("{ ratio(of: 2) }")
    async with toy_server() as here:
        reader, writer = await here.connect()
        for _ in range(2):
            await answered(reader, writer, fast)
            await answered(reader, writer, slow)
        here.world.gate = asyncio.Event()
        writer.write(slow)
        await until(lambda: here.world.calls == 3)
        writer.write(fast)
        other_reader, other_writer = await here.connect()
        other = await answered(other_reader, other_writer, fast)
        here.world.gate.set()
        answers = await bodies(reader, 2)
        writer.close()
        other_writer.close()

    assert answers == [b'{"data":{"ratio":1.0,"calls":3}}', other]
    assert other == b'{"data":{"ratio":2.0}}'


async def test_an_idle_connection_is_closed_when_its_requests_took_the_fast_path() -> None:
    request = whole_post("{ ratio(of: 5) }")
    async with toy_server(keep_alive_seconds=1) as here:
        reader, writer = await here.connect()
        answers = [await answered(reader, writer, request) for _ in range(4)]
        async with asyncio.timeout(30):
            rest = await reader.read()
        writer.close()

    assert answers == [b'{"data":{"ratio":5.0}}'] * 4
    assert rest == b""


async def test_a_token_that_ended_is_refused_when_it_was_accepted_before() -> None:
    request = whole_post("{ me { name } }", "authorization: Bearer ada")
    async with toy_server() as here:
        reader, writer = await here.connect()
        before = [await answered(reader, writer, request) for _ in range(3)]
        here.world.ended.add("ada")
        after = await answered(reader, writer, request)
        writer.close()

    assert before == [b'{"data":{"me":{"name":"ada"}}}'] * 3
    assert b"UNAUTHENTICATED" in after
