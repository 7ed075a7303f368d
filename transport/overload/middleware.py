"""Load shedding as ASGI middleware: a request is admitted, or refused unread.

A refusal costs no parsing, no pooled connection and no memory that lasts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import partial
from typing import TypeVar

from transport.protocol.asgi import App, Message, Receive, Scope, Send, send_error
from transport.protocol.errors import Overloaded
from transport.protocol.negotiation import EVENT_STREAM

from .load_shedder import Enter, LoadShedder, Slot
from .refusals import CONNECTION_CLOSE, overload_response

T = TypeVar("T")
TRY_AGAIN_LATER = 1013
SERVICE_RESTART = 1012
ANNOUNCED = "transport.announced"
"""In the scope of a request that the connection has admitted and counted already."""
SLOW_CLIENT_SECONDS = 0.1


class OverloadMiddleware:
    """Sheds load in front of an application."""

    def __init__(self, app: App, shedder: LoadShedder, enter: Enter) -> None:
        self._app = app
        self._shedder = shedder
        self._enter = enter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit one request or socket, or refuse it."""
        shedder, kind = self._shedder, scope["type"]
        was_announced = scope.pop(ANNOUNCED, False)
        if was_announced:
            # Whatever path it names: the connection and the scope may spell it differently.
            shedder.announced -= 1
        if kind == "lifespan" or scope["path"] in shedder.limits.exempt:
            await self._app(scope, receive, send)
        elif kind == "websocket":
            await self._open(scope, receive, send)
        elif not await self._admit(was_announced, scope, receive, send):
            await send_error(send, overload_response(shedder, scope["headers"]))

    async def _admit(self, was_announced: bool, scope: Scope, receive: Receive, send: Send) -> bool:
        """Serve a request in a slot; False where there is no room."""
        path = scope["path"]
        if not was_announced and not self._shedder.has_room(path):
            return False
        work = partial(self._serve, scope, receive, send)
        return bool(await self._shedder.run(path, self._enter, work))

    async def _serve(self, scope: Scope, receive: Receive, send: Send, slot: Slot) -> bool:
        client = _Client(slot)

        async def read() -> Message:
            return await client.wait_for(receive())

        async def forward(message: Message) -> None:
            if message["type"] == "http.response.start":
                if self._shedder.draining:
                    message["headers"] = [*message.get("headers", ()), CONNECTION_CLOSE]
                if _is_stream(message):
                    slot.become_stream()
            await client.wait_for(send(message))

        await self._app(scope, read, forward)
        return True

    async def _open(self, scope: Scope, receive: Receive, send: Send) -> None:
        shedder = self._shedder
        if not shedder.is_busy():
            await self._app(scope, receive, send)
            return
        shedder.meters.refused(Overloaded.code)
        await receive()
        offered = scope.get("subprotocols", ())
        await send({"type": "websocket.accept", "subprotocol": next(iter(offered), None)})
        code = SERVICE_RESTART if shedder.draining else TRY_AGAIN_LATER
        await send({"type": "websocket.close", "code": code, "reason": "Try again in a moment"})


class _Client:
    """The client's side of a request: while the client is slow, the slot is free for others."""

    __slots__ = ("_away", "_slot")

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._away = 0

    async def wait_for(self, exchange: Awaitable[T]) -> T:
        waiting = [False]
        timer = asyncio.get_running_loop().call_later(SLOW_CLIENT_SECONDS, self._step_out, waiting)
        try:
            return await exchange
        finally:
            timer.cancel()
            if waiting[0]:
                self._away -= 1
                if self._away == 0:
                    self._slot.change(1)

    def _step_out(self, waiting: list[bool]) -> None:
        waiting[0] = True
        self._away += 1
        if self._away == 1:
            self._slot.change(-1)


def _is_stream(message: Message) -> bool:
    return any(
        name == b"content-type" and value.startswith(EVENT_STREAM.encode())
        for name, value in message.get("headers", ())
    )
