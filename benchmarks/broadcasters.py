"""The servers that the fan-out is compared with: python -m benchmarks.broadcasters NAME PORT BYTES RATE

Each sends every client a text of so many bytes, so many times a second, beginning when the first has
connected. The text begins with the time at which it was made.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import uvicorn

STAMP_BYTES = 20


def message(size: int) -> bytes:
    """A text of this size that says when it was made, in ns of the monotonic clock."""
    return str(time.monotonic_ns()).zfill(STAMP_BYTES).encode().ljust(size, b"x")


async def picows(port: int, size: int, rate: float) -> None:
    """A plain broadcast in the fastest WebSocket library for Python."""
    from picows import WSListener, WSMsgType, WSTransport, ws_create_server

    clients: set[WSTransport] = set()

    class Listener(WSListener):
        def on_ws_connected(self, transport: WSTransport) -> None:
            clients.add(transport)
            transport.send(WSMsgType.TEXT, message(size))

        def on_ws_disconnected(self, transport: WSTransport) -> None:
            clients.discard(transport)

    def answer(_request: Any) -> Listener:
        return Listener()

    await ws_create_server(answer, "127.0.0.1", port)
    while True:
        await asyncio.sleep(1 / rate)
        newest = message(size)
        for client in clients:
            client.send(WSMsgType.TEXT, newest)


async def raw(port: int, size: int, rate: float) -> None:
    """Uvicorn as it comes: a task for each socket waits for the next message and sends it."""
    changed = asyncio.Condition()
    newest = ""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": next(iter(scope["subprotocols"]), None)})
        await send({"type": "websocket.send", "text": message(size).decode()})
        while True:
            async with changed:
                await changed.wait()
            await send({"type": "websocket.send", "text": newest})

    serving = asyncio.create_task(_serve(app, port))
    while not serving.done():
        await asyncio.sleep(1 / rate)
        newest = message(size).decode()
        async with changed:
            changed.notify_all()


async def naive(port: int, size: int, rate: float) -> None:
    """Strawberry's own subscriptions: each subscriber executes each message."""
    import strawberry
    from strawberry.asgi import GraphQL

    changed = asyncio.Condition()
    newest = ""

    @strawberry.type
    class Query:
        ok: bool = True

    @strawberry.type
    class Subscription:
        @strawberry.subscription
        async def text(self) -> AsyncIterator[str]:
            yield message(size).decode()
            while True:
                async with changed:
                    await changed.wait()
                yield newest

    overhead = len('{"id":"1","type":"next","payload":{"data":{"text":""}}}')
    serving = asyncio.create_task(_serve(GraphQL(strawberry.Schema(Query, None, Subscription)), port))
    while not serving.done():
        await asyncio.sleep(1 / rate)
        newest = message(size - overhead).decode()
        async with changed:
            changed.notify_all()


async def _serve(app: Any, port: int) -> None:
    config = uvicorn.Config(
        app,
        port=port,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        lifespan="off",
        log_level="warning",
        access_log=False,
        backlog=2048,
    )
    await uvicorn.Server(config).serve()


SERVERS = {"picows": picows, "raw": raw, "naive": naive}


def main() -> None:
    """Serve until killed."""
    import uvloop

    name, port, size, rate = sys.argv[1:]
    uvloop.run(SERVERS[name](int(port), int(size), float(rate)))


if __name__ == "__main__":
    main()
