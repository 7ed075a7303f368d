"""Hostile WebSockets: what a server keeps for them, and what it sends to one."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from benchmarks.attacks import Caller, client_of, make_event
from benchmarks.installation import Installation

SOCKETS, INIT_BYTES = 1_000, 100_000
LARGE_SOCKETS, OPERATIONS, LARGE_ID_BYTES, ID_BYTES = 3, 100, 900_000, 350_000
BATCH = 50
SAMPLE_SECONDS, SETTLING_SECONDS, QUIET_SECONDS = 0.2, 3.0, 2.0
MIB = 2**20
READ_BYTES = 1_048_576
HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
)
WATCH = "subscription ($id: ID!) { seatAvailability(eventId: $id) { version changes { index } } }"
HOLD = """mutation ($id: ID!, $section: ID!) {
  reserve(input: {
    eventId: $id, selection: { generalAdmission: { sectionId: $section, quantity: 1 } }
  }) { __typename }
}"""


@dataclass(slots=True)
class Memory:
    """Resident memory of the API process in MiB: before, at most, and after the sockets are closed."""

    before: float
    most: float = 0.0
    after: float = 0.0

    def __str__(self) -> str:
        return f"{self.before:.0f}, at most {self.most:.0f}, then {self.after:.0f} MiB"


def framed(message: object) -> bytes:
    """A text frame, masked with zeros, which change no byte."""
    body = json.dumps(message).encode()
    return b"\x81" + bytes((0x80 | 127,)) + len(body).to_bytes(8) + b"\0\0\0\0" + body


def subscription(number: int, id_bytes: int, event_id: str) -> bytes:
    """A subscription whose operation id is so long."""
    payload = {"query": WATCH, "variables": {"id": event_id}}
    return framed({"id": f"{number:0{id_bytes}d}", "type": "subscribe", "payload": payload})


async def open_socket(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket after its handshake."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HANDSHAKE)
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


@contextlib.asynccontextmanager
async def watched(installation: Installation) -> AsyncIterator[Memory]:
    """The memory of the API process while this is open; `after` is measured some seconds after it."""
    api = installation.api()
    memory = Memory(api.memory_info().rss / MIB)

    async def sample() -> None:
        while True:
            memory.most = max(memory.most, api.memory_info().rss / MIB)
            await asyncio.sleep(SAMPLE_SECONDS)

    task = asyncio.create_task(sample())
    try:
        yield memory
    finally:
        await asyncio.sleep(SETTLING_SECONDS)
        task.cancel()
        memory.after = api.memory_info().rss / MIB


async def many_sockets(installation: Installation) -> Memory:
    """A thousand sockets whose connection_init is large and that then stay silent."""
    init = framed({"type": "connection_init", "payload": {"about": "x" * INIT_BYTES}})
    async with watched(installation) as memory:
        writers: list[asyncio.StreamWriter] = []

        async def attack() -> None:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                _, writer = await open_socket(installation.port)
                writers.append(writer)
                writer.write(init)
                await writer.drain()

        for _ in range(0, SOCKETS, BATCH):
            await asyncio.gather(*(attack() for _ in range(BATCH)))
        await asyncio.sleep(SETTLING_SECONDS)
        for writer in writers:
            writer.transport.abort()
    return memory


async def large_ids(installation: Installation) -> Memory:
    """Three sockets with a hundred operations each, whose ids are as long as a message allows."""
    event = make_event(installation, 100)
    async with watched(installation) as memory:
        sockets = [await open_socket(installation.port) for _ in range(LARGE_SOCKETS)]
        drains = [asyncio.create_task(_received(reader)) for reader, _ in sockets]
        for _, writer in sockets:
            await _subscribe_all(writer, LARGE_ID_BYTES, event["id"])
        await asyncio.sleep(SETTLING_SECONDS)
        for _, writer in sockets:
            writer.transport.abort()
        await asyncio.gather(*drains)
    return memory


async def bytes_to_one(installation: Installation) -> int:
    """Bytes that one socket gets because one ticket is held."""
    event = make_event(installation, 100)
    reader, writer = await open_socket(installation.port)
    before = asyncio.create_task(_received(reader, QUIET_SECONDS))
    await _subscribe_all(writer, ID_BYTES, event["id"])
    await before
    async with client_of(installation) as client:
        holder = Caller(client, installation.token("holder"))
        section = event["seatMap"]["sections"][0]["id"]
        answer = await holder.ask(HOLD, id=event["id"], section=section)
    assert answer["reserve"]["__typename"] == "ReserveSuccess", answer
    received = await _received(reader, QUIET_SECONDS)
    writer.transport.abort()
    return received


async def _subscribe_all(writer: asyncio.StreamWriter, id_bytes: int, event_id: str) -> None:
    """Ask until everything is sent, or the server closes the socket."""
    with contextlib.suppress(OSError):
        writer.write(framed({"type": "connection_init"}))
        for number in range(OPERATIONS):
            writer.write(subscription(number, id_bytes, event_id))
            await writer.drain()


async def _received(reader: asyncio.StreamReader, quiet: float | None = None) -> int:
    """Bytes until the connection ends, or until nothing has come for so many seconds."""
    received = 0
    with contextlib.suppress(TimeoutError, OSError):
        while data := await asyncio.wait_for(reader.read(READ_BYTES), quiet):
            received += len(data)
    return received
