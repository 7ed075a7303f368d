"""A toy server on a port as `serve` would run it, and bytes to send to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from kit.current_request import request_within
from tests.transport.clients import listening, until
from tests.transport.toy import CountingMeters, World, make_server, rights_of
from transport import LoadLimits, LoadShedder, SecurityHeaders, ServerOptions
from transport.http.connections import bounded
from transport.http.fast_path import FastPath
from transport.http.raw import RawRequest, RawResponse
from transport.http.security_headers import security_headers
from transport.overload.middleware import Door

ME = '{"query":"{ me { name } hello }"}'
SLOW = "{ ratio(of: 1) calls }"
ADA, BOB = {"authorization": "Bearer ada"}, {"authorization": "Bearer bob"}


@dataclass
class Seen:
    """What came of the requests that were tried on the short way."""

    ways: list[str] = field(default_factory=list)


class Watched:
    """A short way that says what it did."""

    def __init__(self, direct: FastPath, seen: Seen) -> None:
        self._direct = direct
        self._seen = seen

    def answer(self, request: RawRequest, client: str | None) -> Any:
        answer = self._direct.answer(request, client)
        self._seen.ways.append({RawResponse: "short", type(None): "long"}.get(type(answer), "task"))
        return answer


@dataclass
class House:
    """A toy server on a port, and what its short way did."""

    address: str
    world: World
    seen: Seen
    admission: LoadShedder
    meters: CountingMeters
    client: httpx.AsyncClient

    async def post(self, body: str, headers: dict[str, str] | None = None) -> httpx.Response:
        sent = {"content-type": "application/json", **(headers or {})}
        return await self.client.post("/graphql", content=body, headers=sent)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection of one's own."""
        return await asyncio.open_connection(*self.address.split(":"))

    def open_gate(self) -> None:
        """Let go on what waits in `calls`."""
        assert self.world.gate is not None, "somebody closed it"
        self.world.gate.set()


@asynccontextmanager
async def house(
    *,
    short: bool = True,
    options: ServerOptions | None = None,
    keep_alive_seconds: int = 5,
    limits: LoadLimits | None = None,
) -> AsyncIterator[House]:
    """A toy server as `serve` would run it, with or without its short way."""
    world, seen, meters = World(), Seen(), CountingMeters()
    options = options or ServerOptions(rights=rights_of, compiled=True)
    server = make_server(world, options=options, at_once=True, meters=meters)
    admission = LoadShedder(limits or LoadLimits())
    door = Door(admission, partial(request_within, 10.0), "/graphql")
    direct: Any = Watched(server.direct(door, security_headers(False)), seen) if short else None
    http = bounded(admission, 100, 10.0, direct, "/graphql")
    async with (
        listening(
            SecurityHeaders(server, strict_transport=False), http=http, keep_alive_seconds=keep_alive_seconds
        ) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
    ):
        yield House(address, world, seen, admission, meters, client)
    await server.aclose()


def raw_post(body: bytes, *lines: str) -> bytes:
    head = ["POST /graphql HTTP/1.1", "host: a", "content-type: application/json", *lines, "", ""]
    return "\r\n".join(head).encode() + body


async def bodies(reader: asyncio.StreamReader, number: int) -> list[bytes]:
    """The bodies of so many responses."""
    found = []
    async with asyncio.timeout(10):
        for _ in range(number):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            found.append(await reader.readexactly(length))
    return found


def whole_post(query: str, *lines: str) -> bytes:
    body = json.dumps({"query": query}).encode()
    return raw_post(body, f"content-length: {len(body)}", *lines)


async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> bytes:
    """The body of the response to what is sent."""
    writer.write(data)
    return (await bodies(reader, 1))[0]


async def slow_request(here: House) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which SLOW was sent and is being answered; it ends when the world's gate is opened."""
    before = here.world.calls
    here.world.gate = asyncio.Event()
    reader, writer = await here.connect()
    writer.write(whole_post(SLOW))
    await until(lambda: here.world.calls == before + 1)
    return reader, writer
