"""A toy server on a port, as `serve` runs it, and bytes to send to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from endpoints.observing import RequestObserver
from kit.current_request import request_within
from kit.spans import NoTracer, Tracer
from telemetry.server_meters import RequestMeters
from tests.transport.clients import listening, until
from tests.transport.toy import CountingMeters, World, make_server, rights_of
from transport import (
    CrossOrigin,
    FastPath,
    GraphQLServer,
    LoadLimits,
    LoadShedder,
    Pipeline,
    ServerOptions,
    bounded_http_protocol,
)
from transport.protocol.raw import RawRequest, RawResponse

SHOP = "https://shop.example"
ME = '{"query":"{ me { name } hello }"}'
HELLO = '{"query":"{ hello }"}'
SLOW = "{ ratio(of: 1) calls }"
ADA, BOB = {"authorization": "Bearer ada"}, {"authorization": "Bearer bob"}


class RecordedFastPath:
    """A fast path that records what became of each request: "cached", "task" or "asgi"."""

    def __init__(self, fast_path: FastPath, paths: list[str]) -> None:
        self.path = fast_path.path
        self._fast_path = fast_path
        self._paths = paths

    def answer(self, request: RawRequest, client: str | None) -> Any:
        answer = self._fast_path.answer(request, client)
        self._paths.append({RawResponse: "cached", type(None): "asgi"}.get(type(answer), "task"))
        return answer


@dataclass
class ToyServer:
    """A toy server on a port, and the paths that its requests took."""

    address: str
    world: World
    paths: list[str]
    shedder: LoadShedder
    meters: CountingMeters
    client: httpx.AsyncClient

    async def post(self, body: str, headers: dict[str, str] | None = None) -> httpx.Response:
        sent = {"content-type": "application/json", **(headers or {})}
        return await self.client.post("/graphql", content=body, headers=sent)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection of one's own."""
        return await asyncio.open_connection(*self.address.split(":"))

    def open_gate(self) -> None:
        """Let `calls` go on."""
        assert self.world.gate is not None, "the gate was not closed"
        self.world.gate.set()


def pipeline_of(shedder: LoadShedder, tracer: Tracer | None = None) -> Pipeline:
    """The pipeline of `app.py`, with counts of its own."""
    observer = RequestObserver(RequestMeters(CollectorRegistry()), tracer or NoTracer())
    return Pipeline(shedder, partial(request_within, 10.0), observer, CrossOrigin([SHOP], ["/graphql"]))


@asynccontextmanager
async def toy_server(
    *,
    fast: bool = True,
    options: ServerOptions | None = None,
    keep_alive_seconds: int = 5,
    limits: LoadLimits | None = None,
    tracer: Tracer | None = None,
) -> AsyncIterator[ToyServer]:
    """A toy server as `serve` runs it, with or without its fast path."""
    world, meters = World(), CountingMeters()
    options = options or ServerOptions(rights=rights_of, compiled=True)
    server = make_server(world, options=options, at_once=True, meters=meters)
    pipeline = pipeline_of(LoadShedder(limits or LoadLimits()), tracer)
    async with serving(world, meters, server, pipeline, fast, keep_alive_seconds) as here:
        yield here


@asynccontextmanager
async def serving(
    world: World,
    meters: CountingMeters,
    server: GraphQLServer,
    pipeline: Pipeline,
    fast: bool,
    keep_alive_seconds: int = 5,
) -> AsyncIterator[ToyServer]:
    """Serve a toy server on a port."""
    paths: list[str] = []
    fast_path: Any = RecordedFastPath(server.fast_path(pipeline, "/graphql"), paths) if fast else None
    http = bounded_http_protocol(pipeline, 100, 10.0, fast_path)
    app = pipeline.around(server)
    async with (
        listening(app, http=http, keep_alive_seconds=keep_alive_seconds) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
    ):
        yield ToyServer(address, world, paths, pipeline.shedder, meters, client)
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


async def slow_request(here: ToyServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which SLOW was sent and is being answered; it ends when the world's gate is opened."""
    before = here.world.calls
    here.world.gate = asyncio.Event()
    reader, writer = await here.connect()
    writer.write(whole_post(SLOW))
    await until(lambda: here.world.calls == before + 1)
    return reader, writer
