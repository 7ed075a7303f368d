"""A socket that takes no frame slows its own source; nothing piles up in between."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from tests.transport.clients import until
from tests.transport.toy import World, make_server


class StuckSocket:
    """An ASGI WebSocket whose peer stops reading once it is acknowledged."""

    def __init__(self, messages: list[Any]) -> None:
        self._messages: list[dict[str, Any]] = [{"type": "websocket.connect"}]
        self._messages += [
            {"type": "websocket.receive", "text": orjson.dumps(message).decode()} for message in messages
        ]
        self.sent: list[str] = []
        self.taking = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        """Give the next message, then none."""
        if not self._messages:
            await asyncio.Event().wait()
        return self._messages.pop(0)

    async def send(self, message: Any) -> None:
        """Take the handshake at once, frames only while taking is set."""
        text = message.get("text", "")
        if '"next"' in text:
            await self.taking.wait()
        self.sent.append(text)


async def test_source_is_not_asked_for_more_when_a_frame_is_still_on_its_way() -> None:
    world = World()
    query = {"query": "subscription { updates(count: 50) { version } }"}
    socket = StuckSocket([{"type": "connection_init"}, {"id": "a", "type": "subscribe", "payload": query}])
    scope = {"type": "websocket", "headers": [], "subprotocols": ["graphql-transport-ws"]}
    serving = asyncio.create_task(make_server(world)(scope, socket.receive, socket.send))
    await until(lambda: world.pulled)
    for _ in range(100):
        await asyncio.sleep(0)
    assert world.pulled == [1]
    socket.taking.set()
    await until(lambda: len(world.pulled) == 50)
    serving.cancel()
