"""The proxy fails as it is told: answers lost after they took effect, connections cut, silence."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from faults.proxy import Proxy

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def echoing() -> AsyncIterator[tuple[Proxy, list[bytes]]]:
    """A proxy before a server that notes each line and answers it."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            heard.append(line)
            writer.write(b"done " + line)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy = Proxy(server.sockets[0].getsockname()[1], random.Random(1))
    await proxy.open()
    try:
        yield proxy, heard
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


async def test_bytes_pass_when_nothing_is_set() -> None:
    async with echoing() as (proxy, _):
        assert await ask(proxy, b"COMMIT\n") == b"done COMMIT\n"


async def test_answer_is_lost_and_the_deed_is_done_when_the_mark_is_in_the_request() -> None:
    async with echoing() as (proxy, heard):
        proxy.lost_mark = b"COMMIT"

        with pytest.raises(ConnectionResetError):
            await ask(proxy, b"COMMIT\n")

        assert heard == [b"COMMIT\n"]
        assert proxy.lost == 1
        assert await ask(proxy, b"BEGIN\n") == b"done BEGIN\n"


async def test_nobody_answers_when_it_is_stalled_and_all_is_well_when_it_heals() -> None:
    async with echoing() as (proxy, heard):
        proxy.stalled = True
        with pytest.raises(TimeoutError):
            await ask(proxy, b"one\n")

        proxy.heal()

        assert await ask(proxy, b"two\n") == b"done two\n"
        assert heard == [b"one\n", b"two\n"]


async def test_connections_are_reset_when_it_cuts_or_refuses() -> None:
    async with echoing() as (proxy, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"one\n")
        assert await reader.readline() == b"done one\n"

        proxy.cut()
        with pytest.raises(ConnectionResetError):
            await reader.readline()

        proxy.refusing = True
        with pytest.raises(ConnectionResetError):
            await ask(proxy, b"two\n")
