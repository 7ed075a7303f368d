"""Clients that pipeline, read nothing or disconnect at the worst time: they delay no other client."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

import transport.http.connections
from tests.transport.clients import until
from tests.transport.servers import SLOW, ToyServer, bodies, raw_post, slow_request, toy_server, whole_post
from tests.transport.toy import make_server
from transport import Limits, LoadLimits
from transport.http.connections import BoundedHttpProtocol
from transport.http.strict_protocol import MOST_AT_ONCE

HEALTH = LoadLimits(exempt=frozenset({"/healthz"}))
LARGE = "{ calls " + " ".join(f"a{number}: large" for number in range(95)) + " }"


@asynccontextmanager
async def server_without_fast_path(limits: LoadLimits) -> AsyncIterator[ToyServer]:
    """A toy server behind the pipeline of `app.py`, without the fast path."""
    async with toy_server(fast=False, limits=limits) as here:
        yield here


@pytest.mark.parametrize("target", ["/%68ealthz", "http://a/healthz", "/healthz"])
async def test_every_request_is_counted_out_when_a_path_is_spelt_otherwise(target: str) -> None:
    async with server_without_fast_path(HEALTH) as here:
        reader, writer = await here.connect()
        for _ in range(3):
            writer.write(f"GET {target} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
            await bodies(reader, 1)
        writer.close()
        await until(lambda: here.shedder.in_flight == 0)

    assert here.shedder.announced == 0


async def test_a_stream_ends_when_its_client_sends_a_request_and_disconnects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beating = partial(make_server, limits=Limits(keep_alive_seconds=0.2))
    monkeypatch.setattr("tests.transport.servers.make_server", beating)
    body = b'{"query":"subscription { forever }"}'
    async with toy_server() as here:
        reader, writer = await here.connect()
        writer.write(raw_post(body, f"content-length: {len(body)}", "accept: text/event-stream"))
        await reader.readuntil(b"event: next")
        writer.write(whole_post("{ hello }"))
        await asyncio.sleep(0.1)
        writer.transport.abort()
        await until(lambda: here.meters.open["sse"] == 0)


async def test_a_slow_request_is_answered_when_it_follows_a_cached_answer() -> None:
    async with toy_server(keep_alive_seconds=1) as here:
        for _ in range(2):
            await here.post('{"query":"{ hello }"}')
        here.world.gate = asyncio.Event()
        reader, writer = await here.connect()
        writer.write(whole_post("{ hello }") + whole_post(SLOW))
        await bodies(reader, 1)
        await asyncio.sleep(1.5)
        here.open_gate()
        answers = await bodies(reader, 1)
        writer.close()

    assert answers == [b'{"data":{"ratio":1.0,"calls":1}}']


async def test_a_connection_is_cut_when_it_brings_too_many_requests_at_once() -> None:
    async with toy_server() as here:
        reader, writer = await here.connect()
        writer.write(whole_post("{ hello }") * MOST_AT_ONCE)
        answers = await bodies(reader, MOST_AT_ONCE)
        writer.write(b"GET /graphql HTTP/1.1\r\n\r\n" * (MOST_AT_ONCE + 1))
        with contextlib.suppress(ConnectionResetError):
            async with asyncio.timeout(10):
                while await reader.read(65_536):
                    pass
        writer.close()

    assert set(answers) == {b'{"data":{"hello":"hello world"}}'}


async def test_a_client_takes_no_slot_and_is_disconnected_when_it_reads_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport.http.connections, "UNREAD_SECONDS", 2.0)
    async with server_without_fast_path(LoadLimits(in_flight=4, queue=0)) as here:
        host, port = here.address.split(":")
        silent = [socket.create_connection((host, int(port))) for _ in range(4)]
        for connection in silent:
            connection.setblocking(False)
            connection.send(whole_post(LARGE) * 16)
        await until(lambda: here.shedder.elsewhere == 4)
        answer = await here.post('{"query":"{ hello }"}')
        await until(lambda: here.shedder.elsewhere == here.shedder.in_flight == 0)
        for connection in silent:
            connection.close()

    assert answer.json() == {"data": {"hello": "hello world"}}


async def test_an_unread_body_is_not_buffered_when_the_process_is_overloaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connections: list[BoundedHttpProtocol] = []
    made = BoundedHttpProtocol.connection_made

    def note(self: BoundedHttpProtocol, peer: asyncio.Transport) -> None:
        connections.append(self)
        made(self, peer)

    monkeypatch.setattr(BoundedHttpProtocol, "connection_made", note)
    async with server_without_fast_path(LoadLimits(in_flight=1, queue=1, overload_after_seconds=100)) as here:
        _, slow = await slow_request(here)
        _, writer = await here.connect()
        writer.write(raw_post(b" " * 20_000, "content-length: 200000000"))
        await until(lambda: here.shedder.waiting == 1)

        async def pour() -> None:
            while True:
                writer.write(b" " * 1_000_000)
                await writer.drain()

        pouring = asyncio.create_task(pour())
        await asyncio.sleep(1)
        kept = max(len(connection.cycle.body) for connection in connections if connection.cycle)
        pouring.cancel()
        writer.transport.abort()
        here.open_gate()
        slow.transport.abort()

    assert 0 < kept < 2_000_000
