"""Request heads that strict clients never send, and heads that only some send."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest

from tests.transport.clients import until
from tests.transport.servers import bodies, raw_post, slow_request, toy_server, whole_post

HELLO = b'{"data":{"hello":"hello world"}}'
BODY = b'{"query":"{ hello }"}'
LENGTH = f"content-length: {len(BODY)}"
H2C = ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAMAAABkAAQAoAAAAAIAAAAA")
WEBSOCKET = (
    b"GET /graphql HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
)


async def response_to(data: bytes, *more: bytes) -> tuple[int, str, bool]:
    """The status and code of the first response, and whether the server closed the connection then."""
    async with toy_server() as here:
        reader, writer = await here.connect()
        writer.write(data)
        for piece in more:
            await asyncio.sleep(0.05)
            writer.write(piece)
        status = int((await reader.readuntil(b"\r\n"))[9:12])
        body = (await bodies(reader, 1))[0]
        code = json.loads(body).get("errors", [{"extensions": {"code": ""}}])[0]["extensions"]["code"]
        try:
            async with asyncio.timeout(0.3):
                is_closed = await reader.read(1) == b""
        except ConnectionResetError:
            is_closed = True
        except TimeoutError:
            is_closed = False
        writer.close()
        return status, code, is_closed


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("host: a", "host: b"),
        ("host: a b",),
        ("host: a/b",),
        ("host: a", "transfer-encoding: gzip, chunked"),
    ],
)
async def test_a_request_is_refused_when_its_head_is_invalid(lines: tuple[str, ...]) -> None:
    length = () if any(line.startswith("transfer") for line in lines) else (LENGTH,)
    head = ["POST /graphql HTTP/1.1", "content-type: application/json", *length, *lines, "", ""]

    assert await response_to("\r\n".join(head).encode() + BODY) == (400, "BAD_REQUEST", True)


@pytest.mark.parametrize("data", [b"HELO there\r\n\r\n", raw_post(b"xyz\r\n", "transfer-encoding: chunked")])
async def test_bytes_that_are_no_http_are_refused_with_a_code(data: bytes) -> None:
    assert await response_to(data) == (400, "BAD_REQUEST", True)


@pytest.mark.parametrize("pieces", [1, 2])
async def test_a_head_is_refused_when_it_is_too_large(pieces: int) -> None:
    line = b"x-long: " + b"x" * 99_000 + b"\r\n"
    head = b"POST /graphql HTTP/1.1\r\nhost: a\r\n"
    data = [head + line] + [line] * (pieces - 1)

    outcome = await response_to(*data[:-1], data[-1] + raw_post(BODY, LENGTH)[len(head) :])

    assert outcome == (431, "HEAD_TOO_LARGE", True)


async def test_trailers_are_refused_when_they_are_too_large() -> None:
    body = b"%x\r\n%b\r\n0\r\n" % (len(BODY), BODY)
    trailer = b"x-long: " + b"x" * 60_000 + b"\r\n"
    async with toy_server() as here:
        reader, writer = await here.connect()
        writer.write(raw_post(body, "transfer-encoding: chunked"))
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(10):
                for _ in range(100):
                    writer.write(trailer)
                    await writer.drain()
                    await asyncio.sleep(0.01)
                await reader.read()
        await until(lambda: writer.transport.is_closing())


async def test_trailers_are_no_headers() -> None:
    body = b'{"query":"{ me { name } }"}'
    chunked = b"%x\r\n%b\r\n0\r\nauthorization: Bearer ada\r\n\r\n" % (len(body), body)
    async with toy_server() as here:
        reader, writer = await here.connect()
        for _ in range(2):
            writer.write(raw_post(chunked, "transfer-encoding: chunked"))
            answer = (await bodies(reader, 1))[0]
            assert b"ada" not in answer
        writer.close()


@pytest.mark.parametrize("pieces", [1, 2, 3])
async def test_a_request_is_served_when_it_offers_another_protocol(pieces: int) -> None:
    data = raw_post(BODY, LENGTH, *H2C)
    cuts = {1: [], 2: [len(data) - len(BODY)], 3: [40, len(data) - 5]}[pieces]
    async with toy_server() as here:
        reader, writer = await here.connect()
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            writer.write(data[start:end])
            await asyncio.sleep(0.05)
        writer.write(raw_post(BODY, LENGTH, *H2C) + whole_post("{ hello }"))
        answers = await bodies(reader, 3)
        writer.close()

    assert answers == [HELLO] * 3


async def test_a_body_is_no_request_when_its_request_offers_another_protocol() -> None:
    inner = whole_post("{ hello }")
    async with toy_server() as here:
        reader, writer = await here.connect()
        writer.write(raw_post(b"", f"content-length: {len(inner)}", *H2C))
        await asyncio.sleep(0.05)
        writer.write(inner + whole_post("{ hello }"))
        answers = await bodies(reader, 2)
        writer.close()

    assert b"BAD_REQUEST" in answers[0] and answers[1] == HELLO


async def test_a_stream_ends_when_its_client_asks_for_a_websocket_on_the_same_connection() -> None:
    body = b'{"query":"subscription { forever }"}'
    async with toy_server() as here:
        reader, writer = await here.connect()
        writer.write(raw_post(body, f"content-length: {len(body)}", "accept: text/event-stream"))
        await reader.readuntil(b"event: next")
        assert here.meters.open["sse"] == 1
        writer.write(WEBSOCKET)
        await until(lambda: here.meters.open["sse"] == 0)
        rest = b""
        with contextlib.suppress(ConnectionError):
            rest = await reader.read()
        writer.close()

    assert b"101" not in rest


async def test_nothing_is_written_into_a_websocket_when_an_answer_is_due_before_it() -> None:
    async with toy_server() as here:
        reader, writer = await slow_request(here)
        writer.write(WEBSOCKET)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        here.open_gate()
        writer.close()


async def test_an_error_is_not_taken_for_the_answer_that_is_due_before_it() -> None:
    async with toy_server() as here:
        reader, writer = await slow_request(here)
        writer.write(b"nonsense\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        here.open_gate()
        writer.close()
