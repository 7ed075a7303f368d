"""WebSocket clients that cost little: thousands of receivers on one core, each delivery timed."""

import asyncio
import base64
import os
import time
from array import array
from collections.abc import Callable
from typing import cast

HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    "sec-websocket-key: {key}\r\nsec-websocket-version: 13\r\n"
    "sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
)
PATIENCE_SECONDS = 60.0
CONNECTING_AT_ONCE = 20


class Audience:
    """So many open sockets that receive the same messages, and how long each message took to each of them."""

    def __init__(self, changed_at_ns: Callable[[bytes], int]) -> None:
        self._changed_at_ns = changed_at_ns
        self.delays_us = array("d")
        self.delivered = 0
        self.frame_bytes = 0
        self.timing = False
        self._receivers: list[_Receiver] = []
        self._known: dict[bytes, int] = {}

    async def fill(self, number: int, port: int, path: str, greeting: list[bytes], replies: int) -> None:
        """Connect so many, send each the same messages and wait for so many messages back from each.

        Raises:
            TimeoutError: one was not answered within a minute.
        """
        gate = asyncio.Semaphore(CONNECTING_AT_ONCE)

        async def join() -> None:
            async with gate, asyncio.timeout(PATIENCE_SECONDS):
                self._receivers.append(await _connect(self, port, path, greeting, replies))

        await asyncio.gather(*(join() for _ in range(number)))

    def take(self, frame: bytes) -> None:
        """One message has arrived somewhere."""
        self.delivered += 1
        if self.timing:
            now = time.monotonic_ns()
            changed_at = self._known.get(frame)
            if changed_at is None:
                changed_at = self._known[frame] = self._changed_at_ns(frame)
                self.frame_bytes = len(frame)
            self.delays_us.append((now - changed_at) / 1_000)

    def leave(self) -> None:
        """Close all connections."""
        for receiver in self._receivers:
            receiver.transport.abort()


class _Receiver(asyncio.Protocol):
    """Reads frames; answers pings."""

    transport: asyncio.Transport

    def __init__(self, audience: Audience, path: str, greeting: list[bytes], replies: int) -> None:
        self._audience = audience
        self._path = path
        self._greeting = greeting
        self._left = replies
        self._rest = b""
        self._is_open = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(HANDSHAKE.format(path=self._path, key=key).encode())

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        if not self._is_open:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = head
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._is_open = True
            for message in self._greeting:
                self.transport.write(masked(message))
        while (size := _frame_size(data)) and size <= len(data):
            self._take(data[:size] if size < len(data) else data)
            data = data[size:]
        self._rest = data

    def _take(self, frame: bytes) -> None:
        if frame == PING_MESSAGE:
            self.transport.write(PONG_MESSAGE)
        elif frame[0] == PING_OPCODE:
            self.transport.write(bytes((0x8A, 0x80 | len(frame) - 2)) + bytes(4) + frame[2:])
        elif self.ready.done():
            self._audience.take(frame)
        else:
            self._left -= 1
            if self._left <= 0:
                self.ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"closed before it was ready: {self._rest!r}"))


def _frame_size(data: bytes) -> int:
    """Bytes of the frame that begins here, head and all; 0 where its head is not whole."""
    if len(data) < 2:
        return 0
    size = data[1]
    if size < 126:
        return size + 2
    width = 2 if size == 126 else 8
    return 2 + width + int.from_bytes(data[2 : 2 + width]) if len(data) >= 2 + width else 0


def masked(message: bytes) -> bytes:
    """A text message as a client sends it, masked with zeros."""
    size = len(message)
    head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2)
    return head + bytes(4) + message


PING_OPCODE = 0x89
PING_MESSAGE = b'\x81\x0f{"type":"ping"}'
PONG_MESSAGE = masked(b'{"type":"pong"}')


async def _connect(
    audience: Audience, port: int, path: str, greeting: list[bytes], replies: int
) -> _Receiver:
    loop = asyncio.get_running_loop()
    _, receiver = await loop.create_connection(
        lambda: _Receiver(audience, path, greeting, replies), "127.0.0.1", port
    )
    await receiver.ready
    return receiver
