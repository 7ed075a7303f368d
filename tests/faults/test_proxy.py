"""The proxy injects its faults: lost responses, resets, silence."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from faults.proxy import Proxy

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def echoing() -> AsyncIterator[tuple[Proxy, list[bytes]]]:
    """A proxy of a server that records each line and answers it."""
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            received.append(line)
            writer.write(b"done " + line)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy = Proxy(server.sockets[0].getsockname()[1], random.Random(1))
    await proxy.open()
    try:
        yield proxy, received
    finally:
        await proxy.close()
        server.close()


async def ask(proxy: Proxy, line: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(line)
        return await asyncio.wait_for(reader.readline(), 1)
    finally:
        writer.transport.abort()


async def test_bytes_pass_without_faults() -> None:
    async with echoing() as (proxy, _):
        assert await ask(proxy, b"COMMIT\n") == b"done COMMIT\n"


async def test_response_is_lost_after_the_effect_when_the_marker_is_in_the_request() -> None:
    async with echoing() as (proxy, received):
        proxy.drop_marker = b"COMMIT"

        with pytest.raises(ConnectionResetError):
            await ask(proxy, b"COMMIT\n")

        assert received == [b"COMMIT\n"]
        assert proxy.dropped == 1
        assert await ask(proxy, b"BEGIN\n") == b"done BEGIN\n"


async def test_no_response_while_stalled_and_normal_service_after_healing() -> None:
    async with echoing() as (proxy, received):
        proxy.stalled = True
        with pytest.raises(TimeoutError):
            await ask(proxy, b"one\n")

        proxy.heal()

        assert await ask(proxy, b"two\n") == b"done two\n"
        assert received == [b"one\n", b"two\n"]


async def test_connections_are_reset_when_the_proxy_resets_or_refuses() -> None:
    async with echoing() as (proxy, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"one\n")
        assert await reader.readline() == b"done one\n"

        proxy.reset()
        with pytest.raises(ConnectionResetError):
            await reader.readline()

        proxy.refusing = True
        with pytest.raises(ConnectionResetError):
            await ask(proxy, b"two\n")
