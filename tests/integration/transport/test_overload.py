"""Load shedding on real sockets: many connections, slow clients and a full process, in bytes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

import transport.http.connections
from kit.current_request import request_within
from tests.transport.clients import _Uvicorn, until, websocket
from transport import LoadLimits, LoadShedder, Pipeline, bounded_http_protocol

POST = b"POST /work HTTP/1.1\r\nhost: a\r\naccept: application/json\r\ncontent-length: 5\r\n\r\n"
LARGE_BYTES = 40_000_000


class Crowd:
    """An application behind the load shedder on a real port."""

    def __init__(self, most_connections: int, request_seconds: float) -> None:
        self.shedder = LoadShedder(LoadLimits(in_flight=1, queue=0))
        self.end = asyncio.Event()
        routes = [
            Route("/work", self.work, methods=["POST"]),
            Route("/large", self.large),
            WebSocketRoute("/", lambda _: None),
        ]
        pipeline = Pipeline(self.shedder, lambda count: request_within(5.0, count))
        self.app = pipeline.around(Starlette(routes=routes))
        self.protocol = bounded_http_protocol(pipeline, most_connections, request_seconds)
        self.server: uvicorn.Server
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def work(self, request: Request) -> Response:
        body = await request.body()
        await self.end.wait()
        return PlainTextResponse(body.decode())

    async def large(self, _: Request) -> Response:
        return Response(b"x" * LARGE_BYTES)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        return reader, writer

    def hang_up(self) -> None:
        """Close every connection that was opened here."""
        for writer in self.writers:
            writer.close()


@asynccontextmanager
async def crowd(most_connections: int = 100, request_seconds: float = 10.0) -> AsyncIterator[Crowd]:
    made = Crowd(most_connections, request_seconds)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        made.port = listener.getsockname()[1]
        config = uvicorn.Config(
            made.app,
            http=made.protocol,
            ws="websockets-sansio",
            lifespan="off",
            log_level="critical",
            timeout_keep_alive=1,
        )
        made.server = _Uvicorn(config)
        serving = asyncio.create_task(made.server.serve(sockets=[listener]))
        await until(lambda: made.server.started)
        try:
            yield made
        finally:
            made.end.set()
            made.hang_up()
            made.server.should_exit = made.server.force_exit = True
            await serving


async def answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The next response: its status line, and its body."""
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        return head.partition(b"\r\n")[0], await reader.readexactly(length)


async def test_connection_stays_and_serves_again_when_a_request_of_it_was_refused() -> None:
    async with crowd() as here:
        first, first_writer = await here.connect()
        first_writer.write(POST + b"first")
        await until(lambda: not here.shedder.has_room())
        second, second_writer = await here.connect()

        second_writer.write(POST + b"lost!")
        refused = await answer(second)
        second_writer.write(POST)  # refused before its body has come
        refused_early = await answer(second)
        second_writer.write(b"late!")
        here.end.set()
        served = await answer(first)
        second_writer.write(POST + b"again")
        served_again = await answer(second)

    assert refused[0] == b"HTTP/1.1 503 Service Unavailable"
    assert b'"OVERLOADED"' in refused[1]
    assert refused_early == refused
    assert served == (b"HTTP/1.1 200 OK", b"first")
    assert served_again == (b"HTTP/1.1 200 OK", b"again")
    assert here.shedder.in_flight == 0


async def test_socket_is_closed_with_1013_when_a_request_was_just_refused() -> None:
    async with crowd() as here:
        here.shedder.note_refusal()
        async with websocket(f"127.0.0.1:{here.port}") as client:
            code = await client.close_code()

    assert code == 1013


async def test_socket_is_closed_with_1012_when_the_process_is_stopping() -> None:
    async with crowd() as here:
        here.shedder.draining = True
        async with websocket(f"127.0.0.1:{here.port}") as client:
            code = await client.close_code()

    assert code == 1012


async def test_new_connection_gets_an_error_when_there_are_too_many() -> None:
    async with crowd(most_connections=3) as here:
        held = [await here.connect() for _ in range(3)]
        await until(lambda: len(here.server.server_state.connections) == 3)
        reader, _ = await here.connect()

        status, body = await answer(reader)
        ended = await reader.read()
        held[0][1].close()
        await until(lambda: len(here.server.server_state.connections) == 2)
        here.end.set()
        reader, writer = await here.connect()
        writer.write(POST + b"hello")
        served = await answer(reader)

    assert status == b"HTTP/1.1 503 Service Unavailable"
    assert b'"OVERLOADED"' in body
    assert ended == b""
    assert served == (b"HTTP/1.1 200 OK", b"hello")


async def test_nothing_is_counted_for_good_when_requests_are_broken() -> None:
    async with crowd() as here:
        here.end.set()
        for broken in (b"GET /\xff HTTP/1.1\r\nhost: a\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"\x00\x01", POST):
            _, writer = await here.connect()
            writer.write(broken)
            writer.close()
        reader, writer = await here.connect()
        writer.write(POST + b"hello")
        served = await answer(reader)
        await until(lambda: here.shedder.announced == 0 and here.shedder.elsewhere == 0)

    assert served == (b"HTTP/1.1 200 OK", b"hello")
    assert (here.shedder.in_flight, here.shedder.waiting) == (0, 0)


@pytest.mark.parametrize("beginning", [b"", b"GET /wo", POST, POST + b"he"])
async def test_connection_is_cut_when_its_request_is_not_whole_in_time(beginning: bytes) -> None:
    async with crowd(request_seconds=0.2) as here:
        reader, writer = await here.connect()
        writer.write(beginning)

        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            async with asyncio.timeout(5):
                await reader.readexactly(1)
        await until(lambda: not here.server.server_state.connections)
        await until(lambda: here.shedder.elsewhere == 0)

    assert here.shedder.in_flight == 0


async def test_connection_is_cut_when_its_client_does_not_read_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport.http.connections, "UNREAD_SECONDS", 1.0)
    async with crowd() as here:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.setblocking(False)
            await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", here.port))
            client.send(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
            await until(lambda: here.server.server_state.total_requests == 1)

            await until(lambda: not here.server.server_state.connections)

    assert here.shedder.in_flight == 0
