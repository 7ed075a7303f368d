"""Sources that thousands of sockets share: their events can be taken without waiting for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast


class Buffer(Protocol):
    """What a feed has told one subscriber and the subscriber has not taken."""

    ended: bool
    """Whether nothing more will come."""

    def take(self) -> Any | None:
        """All that has gathered, merged into one event; None where there is nothing."""


class EventSource(Protocol):
    """An event stream that also calls when it has something; it is iterated until its first event."""

    def attach(self, wake: Callable[[], None]) -> Buffer:
        """Call this with each event from now on, and at the end; what was told is in the buffer.

        It does not call before it has returned: what waits already is the caller's to take.
        """

    def detach(self) -> None:
        """End it: nobody listens any more."""


def event_source_of(source: object) -> EventSource | None:
    """The source itself, where it is a feed."""
    return cast("EventSource", source) if hasattr(source, "attach") else None


class FrameSink(Protocol):
    """A socket that takes finished WebSocket frames: ASGI extension `SINK_EXTENSION`.

    What the socket has not taken yet is bounded: once `is_full`, a writer waits, or leaves it to
    `drained` to be called.
    """

    @property
    def is_full(self) -> bool:
        """Whether nothing should be written now; true for ever once the socket is closed."""

    @property
    def full_since(self) -> float | None:
        """The loop's time at which it became full; None while it is not."""

    def write(self, frame: bytes) -> None:
        """Send a frame; one that comes after the close is dropped."""

    def on_drained(self, call: Callable[[], None]) -> None:
        """Call this whenever a full socket takes frames again."""

    async def room(self) -> None:
        """Wait until it is not full, or closed."""


SINK_EXTENSION = "boxoffice.websocket.frames"
