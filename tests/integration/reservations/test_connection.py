"""A connection to Redis that the server has closed is lost in a way that callers know."""

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as ConnectionLost

from reservations.connection import connect_server

_DEADLINE_SECONDS = 10


class _Vanishing:
    """Answers +PONG to whatever it is sent, until it drops its clients and listens no more."""

    def __init__(self) -> None:
        self.writers: list[asyncio.StreamWriter] = []
        self.server: asyncio.Server

    async def open(self) -> int:
        """The port it listens on."""
        self.server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        port: int = self.server.sockets[0].getsockname()[1]
        return port

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        while request := await reader.read(4096):
            writer.write(b"+PONG\r\n" * max(1, request.count(b"*")))

    def vanish(self) -> None:
        """Go as a killed process goes: its clients are reset."""
        self.server.close()
        for writer in self.writers:
            socket_ = writer.get_extra_info("socket")
            socket_.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_the_connection_is_lost_when_the_server_has_gone_between_two_commands(
    run: Callable[[Coroutine[Any, Any, None]], None],
) -> None:
    async def scene() -> None:
        redis = _Vanishing()
        client = connect_server(f"redis://127.0.0.1:{await redis.open()}?protocol=2", 1)
        assert await client.ping()
        assert isinstance(client, Redis)
        pool = client.connection_pool
        connection = await pool.get_connection()  # type: ignore[no-untyped-call]
        redis.vanish()
        async with asyncio.timeout(_DEADLINE_SECONDS):
            while connection._reader.exception() is None:
                await asyncio.sleep(0.01)

        with pytest.raises(ConnectionLost):
            await connection.send_command("PING")

        await pool.release(connection)
        await client.aclose()

    run(scene())


async def test_the_connection_is_lost_when_another_task_closes_it_before_the_write() -> None:
    redis = _Vanishing()
    client = connect_server(f"redis://127.0.0.1:{await redis.open()}?protocol=2", 1)
    assert isinstance(client, Redis)
    pool = client.connection_pool
    connection = await pool.get_connection()  # type: ignore[no-untyped-call]
    sending = asyncio.create_task(connection.send_command("PING"))
    await asyncio.sleep(0)
    await connection.disconnect(nowait=True)

    with pytest.raises(ConnectionLost):
        await sending

    await pool.release(connection)
    await client.aclose()
    redis.vanish()
