"""The WebSocket protocol on a real socket, with bytes that a well-behaved library never sends."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.transport.clients import listening, until
from tests.transport.toy import make_server
from tests.unit.transport.test_websocket_frames import sent
from transport import Limits
from transport.websocket.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame

INIT = b'{"type":"connection_init"}'
ACK = frame(TEXT, b'{"type":"connection_ack"}')


@asynccontextmanager
async def raw_socket(address: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A socket that is open, and nothing sent yet."""
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    key = base64.b64encode(bytes(16)).decode()
    writer.write(
        f"GET / HTTP/1.1\r\nhost: {address}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        f"sec-websocket-key: {key}\r\nsec-websocket-version: 13\r\n"
        "sec-websocket-protocol: graphql-transport-ws\r\n\r\n".encode()
    )
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    assert head.startswith(b"HTTP/1.1 101")
    try:
        yield reader, writer
    finally:
        writer.close()


async def exactly(reader: asyncio.StreamReader, size: int) -> bytes:
    async with asyncio.timeout(10):
        return await reader.readexactly(size)


async def test_message_is_read_when_it_comes_in_fragments_with_a_ping_between() -> None:
    async with listening(make_server()) as address, raw_socket(address) as (reader, writer):
        writer.write(sent(TEXT, INIT[:5], final=False) + sent(PING, b"hello"))
        writer.write(sent(CONTINUATION, INIT[5:]))
        pong = frame(PONG, b"hello")
        assert await exactly(reader, len(pong) + len(ACK)) == pong + ACK


@pytest.mark.parametrize(
    ("piece", "code"),
    [
        (sent(TEXT, b"{}", masked=False), 1002),
        (sent(TEXT, b"\xff"), 1007),
        (sent(TEXT, b"x" * 70_000), 1009),
        (sent(BINARY, b"{}"), 4400),
        (sent(CLOSE, (3999).to_bytes(2)), 3999),
    ],
)
async def test_socket_is_closed_with_a_code_when_a_frame_breaks_the_rules(piece: bytes, code: int) -> None:
    server = make_server(limits=Limits(body_bytes=60_000))
    async with listening(server, max_bytes=60_000) as address, raw_socket(address) as (reader, writer):
        writer.write(piece)
        head = await exactly(reader, 4)
        assert (head[0], int.from_bytes(head[2:])) == (0x80 | CLOSE, code)
        writer.write(sent(CLOSE, code.to_bytes(2)))
        async with asyncio.timeout(10):
            await reader.read()
        assert reader.at_eof()


async def test_connection_ends_when_the_client_hangs_up_without_a_close() -> None:
    ended = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "graphql-transport-ws"})
        ended.append(await receive())

    async with listening(app) as address, raw_socket(address) as (_, writer):
        writer.transport.abort()
        await until(lambda: ended)
    assert (ended[0]["type"], ended[0]["code"]) == ("websocket.disconnect", 1006)


async def test_client_is_answered_403_when_the_application_does_not_accept() -> None:
    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.close"})

    async with listening(app) as address:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(f"ws://{address}/"):
                pass
    assert refused.value.response.status_code == 403


async def test_client_gets_a_close_code_when_the_application_fails() -> None:
    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        raise RuntimeError("the password is swordfish")

    async with listening(app) as address, connect(f"ws://{address}/") as client:
        async with asyncio.timeout(10):
            await client.wait_closed()
        assert (client.close_code, client.close_reason) == (1011, "Internal error")


async def test_messages_echo_in_order_when_many_are_sent_without_reading() -> None:
    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})

    async with listening(app) as address, connect(f"ws://{address}/") as client:
        received = [f"{number} " + "é" * 1_000 for number in range(500)]
        sending = asyncio.gather(*(client.send(text) for text in received))
        async with asyncio.timeout(10):
            echoed = [await client.recv() for _ in received]
            await sending
    assert echoed == received
