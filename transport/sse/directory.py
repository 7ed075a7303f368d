"""Finds the process that holds an event stream, and sends it requests.

A reserved stream is held by the process that reserved it, an open one by the process whose
socket it is. Any process can ask either over the bus; the holder listens on the stream's channel,
an asker listens there for as long as it waits for the reply.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any, Protocol

from transport.protocol.errors import (
    Conflict,
    GraphQLHTTPError,
    NotFound,
    Overloaded,
    TooManyOperations,
    Unavailable,
)
from transport.protocol.ports import MessageBus

from .sealing import Seal

REPLY_SECONDS = 2.0
Message = dict[str, Any]


class Holder(Protocol):
    """A stream in this process."""

    def handle(self, message: Message) -> Message:
        """Do what is asked and return the reply. Raises: Conflict, NotFound."""


class StreamDirectory:
    """The streams of this process by token, and access to those of other processes."""

    def __init__(self, bus: MessageBus, reply_seconds: float = REPLY_SECONDS) -> None:
        self._bus = bus
        self._reply_seconds = reply_seconds
        self._held: dict[str, Holder] = {}
        self._listeners: dict[str, asyncio.Task[None]] = {}
        self._sender = secrets.token_hex(8)

    def held(self, token: str) -> Holder | None:
        """Return a stream of this process."""
        return self._held.get(token)

    async def hold(self, token: str, holder: Holder) -> None:
        """Answer for a stream; when this returns, other processes can reach it. Raises: Unavailable."""
        self._held[token] = holder
        listening = asyncio.get_running_loop().create_future()
        self._listeners[token] = asyncio.create_task(self._listen(token, listening))
        try:
            await listening
        except BaseException:
            self.release(token)
            raise

    def release(self, token: str) -> None:
        """Stop answering for a stream."""
        self._held.pop(token, None)
        listener = self._listeners.pop(token, None)
        if listener is not None and listener is not asyncio.current_task():
            listener.cancel()

    async def ask(self, token: str, message: Message) -> Message:
        """Have the holder do something. Raises: NotFound, Conflict, as the holder says."""
        holder = self._held.get(token)
        if holder is not None:
            return holder.handle(message)
        return await self.ask_others(token, message)

    async def ask_others(self, token: str, message: Message) -> Message:
        """Ask over the bus only. Raises: NotFound, Conflict, Unavailable."""
        seal = Seal(token)
        question = secrets.token_hex(8)
        asked = {**message, "question": question, "sender": self._sender}
        try:
            async with self._bus.subscribe(seal.channel) as messages:
                await self._bus.publish(seal.channel, seal.close(asked))
                async with asyncio.timeout(self._reply_seconds):
                    return _checked(await _reply(seal, messages, question))
        except TimeoutError:
            raise NotFound("There is no such event stream.") from None
        except GraphQLHTTPError:
            raise
        except Exception as error:
            raise _away(error) from error

    async def _listen(self, token: str, listening: asyncio.Future[None]) -> None:
        seal = Seal(token)
        try:
            async with self._bus.subscribe(seal.channel) as messages:
                listening.set_result(None)
                await self._answer(token, seal, messages)
        except Exception as error:
            if listening.done():
                raise
            listening.set_exception(_away(error))

    async def _answer(self, token: str, seal: Seal, messages: AsyncIterator[bytes]) -> None:
        async for sealed in messages:
            message = seal.open(sealed)
            if message is None or "question" not in message:
                continue
            if message["sender"] != self._sender:
                await self._bus.publish(seal.channel, seal.close(self._reply(token, message)))
            if token not in self._held:
                return

    def _reply(self, token: str, message: Message) -> Message:
        holder = self._held.get(token)
        try:
            if holder is None:
                raise NotFound("There is no such event stream.")
            reply = holder.handle(message)
        except GraphQLHTTPError as error:
            reply = {"refused": error.error_code, "message": error.message}
        return {**reply, "reply": message["question"]}


def _away(error: Exception) -> Unavailable:
    """The client's error where the bus is not available, whatever the bus reports."""
    away = Unavailable("Event streams of several requests are away for a moment; please try again.")
    away.__cause__ = error
    return away


async def _reply(seal: Seal, messages: AsyncIterator[bytes], question: str) -> Message:
    async for sealed in messages:
        message = seal.open(sealed)
        if message is not None and message.get("reply") == question:
            return message
    raise TimeoutError


def _checked(reply: Message) -> Message:
    if "refused" in reply:
        kinds = {kind.code: kind for kind in (Conflict, TooManyOperations, Overloaded)}
        raise kinds.get(reply["refused"], NotFound)(reply["message"])
    return reply
