"""The backlog: data of connections that waits while the process is full, read a few pieces at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Protocol

from .load_shedder import LoadShedder

MIN_READ_PER_TURN = 16
"""Pieces read in one turn of the event loop; a 128th of the backlog where that is more"""


class Connection(Protocol):
    """A connection whose data can be held back."""

    held_back: int
    """Pieces of its data in the backlog"""
    flow: Any
    loop: asyncio.AbstractEventLoop
    pipeline: Any
    transport: Any

    def read(self, data: bytes) -> None:
        """Parse the data and act on it."""


class Backlog:
    """Holds back data while there is no room, and reads it first come, first served.

    Refusing a request takes 20 microseconds, most of them in the kernel. Thousands of refusals in one turn of
    the event loop would delay every request that is being worked on, at each of its steps.
    """

    def __init__(self, shedder: LoadShedder) -> None:
        self._shedder = shedder
        self._held: deque[tuple[Connection, bytes]] = deque()
        paths = shedder.limits.exempt | shedder.limits.first
        self._urgent = tuple(f"{method} {path}".encode() for method in ("GET", "POST") for path in paths)

    def holds_back(self, connection: Connection, data: bytes) -> bool:
        """Whether the data was held back: there is no room, or earlier data still waits.

        Requests for exempt and first paths are not held back. A connection with a second piece in the
        backlog stops reading.
        """
        if not self._held and self._shedder.has_room():
            return False
        if not connection.held_back and data.startswith(self._urgent):
            return False
        if not self._held:
            connection.loop.call_soon(self._continue, connection.loop)
        self._held.append((connection, data))
        connection.held_back += 1
        if connection.held_back == 2:
            connection.flow.pause_reading()
        return True

    def _continue(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            for _ in range(min(len(self._held), max(MIN_READ_PER_TURN, len(self._held) // 128))):
                self._read(*self._held.popleft())
        finally:
            if self._held:
                loop.call_soon(self._continue, loop)

    @staticmethod
    def _read(connection: Connection, data: bytes) -> None:
        connection.held_back -= 1
        if connection.transport.is_closing():
            return
        if not (connection.held_back or connection.pipeline):
            connection.flow.resume_reading()  # before the read, which may have a reason to pause
        connection.read(data)
