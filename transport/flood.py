"""More requests than can be answered: they are taken in by turns."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from .admission import Admission

if TYPE_CHECKING:
    from .connections import BoundedHttpProtocol as Connection

LEAST_TAKEN_IN = 16
"""In one turn of the event loop, of what was held back; or a 128th, where that is more"""


class Flood:
    """What has come while there was no room, taken in a few at a time.

    To turn somebody away takes 20 microseconds, most of them the kernel's; thousands of those in one turn
    of the event loop would hold up every request that was let in, at each of its steps.
    """

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._held: deque[tuple[Connection, bytes]] = deque()
        paths = admission.limits.exempt | admission.limits.first
        self._urgent = tuple(f"{method} {path}".encode() for method in ("GET", "POST") for path in paths)

    def holds_back(self, connection: Connection, data: bytes) -> bool:
        """Keep data for its turn where there is no room, or others wait for theirs: first come, first served.

        Whoever asks for our health, or tells of a payment, does not wait. Who sends more than one piece
        meanwhile is read no further.
        """
        if not self._held and self._admission.has_room():
            return False
        if not connection.held_back and data.startswith(self._urgent):
            return False
        if not self._held:
            connection.loop.call_soon(self._go_on, connection.loop)
        self._held.append((connection, data))
        connection.held_back += 1
        if connection.held_back == 2:
            connection.flow.pause_reading()
        return True

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            for _ in range(min(len(self._held), max(LEAST_TAKEN_IN, len(self._held) // 128))):
                self._take_in(*self._held.popleft())
        finally:
            if self._held:
                loop.call_soon(self._go_on, loop)

    @staticmethod
    def _take_in(connection: Connection, data: bytes) -> None:
        connection.held_back -= 1
        if connection.transport.is_closing():
            return
        if not (connection.held_back or connection.pipeline):
            connection.flow.resume_reading()  # before: taking it in may be reason enough to pause
        connection.take_in(data)
