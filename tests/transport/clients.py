"""How the transport's tests reach a server: in process, or over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import uvicorn
from websockets.asyncio.client import ClientConnection, connect

from transport import GraphQLServer
from transport.websocket.protocol import WebSocketProtocol


def in_process(server: GraphQLServer, **headers: str) -> httpx.AsyncClient:
    """Call the server without a socket."""
    transport = httpx.ASGITransport(app=server)
    return httpx.AsyncClient(transport=transport, base_url="http://toy", headers=headers)


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def listening(
    app: Any,
    ws: Any = WebSocketProtocol,
    max_bytes: int = 1_000_000,
    http: Any = "auto",
    keep_alive_seconds: int = 5,
) -> AsyncIterator[str]:
    """Serve on a free port of this machine and give host:port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        config = uvicorn.Config(
            app,
            http=http,
            lifespan="off",
            log_level="critical",
            ws_per_message_deflate=False,
            ws=ws,
            ws_max_size=max_bytes,
            timeout_keep_alive=keep_alive_seconds,
        )
        server = _Uvicorn(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.should_exit = server.force_exit = True
            await serving


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for a condition; fail when it has not come true in time."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


class GraphQLSocket:
    """A graphql-transport-ws client that shows every message."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, message: Any) -> None:
        """Send a message, as JSON unless it is text or bytes already."""
        raw = message if isinstance(message, (str, bytes)) else orjson.dumps(message).decode()
        await self.connection.send(raw)

    async def receive(self) -> dict[str, Any]:
        """Receive the next message."""
        async with asyncio.timeout(10):
            received: dict[str, Any] = orjson.loads(await self.connection.recv())
            return received

    async def initialise(self, payload: Any = None) -> None:
        """Exchange connection_init for connection_ack."""
        await self.send({"type": "connection_init", **({"payload": payload} if payload else {})})
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, name: str, query: str, **payload: Any) -> None:
        """Start an operation."""
        await self.send({"id": name, "type": "subscribe", "payload": {"query": query, **payload}})

    async def close_code(self) -> int | None:
        """Wait until the server closes, and return its code."""
        async with asyncio.timeout(10):
            await self.connection.wait_closed()
        return self.connection.close_code


@asynccontextmanager
async def websocket(
    address: str, subprotocol: str | None = "graphql-transport-ws", **options: Any
) -> AsyncIterator[GraphQLSocket]:
    """Open a socket to the server."""
    protocols: Any = [subprotocol] if subprotocol else None
    async with connect(f"ws://{address}/", subprotocols=protocols, **options) as connection:
        yield GraphQLSocket(connection)


async def events_of(response: httpx.Response) -> AsyncIterator[dict[str, str]]:
    """Parse an event stream; comments appear as {"comment": ""}."""
    event: dict[str, str] = {}
    async for line in response.aiter_lines():
        if not line and event:
            yield event
            event = {}
        elif line:
            name, _, value = line.partition(":")
            event[name or "comment"] = value.removeprefix(" ")


async def next_event(events: AsyncIterator[dict[str, str]]) -> dict[str, str]:
    """Return the next event that is not a comment alone."""
    async with asyncio.timeout(10):
        while True:
            event = await anext(events)
            if "event" in event:
                return event
