"""Event sources that push: thousands of sockets share one, and no task waits for its events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

from transport.overload.memory_budget import ConnectionMemory


class Buffer(Protocol):
    """The events that one subscriber has not taken yet."""

    ended: bool
    """Whether nothing more will come."""

    def take(self) -> Any | None:
        """Return the waiting events, merged into one; None where there are none."""


class EventSource(Protocol):
    """An event stream that also notifies of each event; it is iterated up to its first event."""

    def attach(self, wake: Callable[[], None]) -> Buffer:
        """Call `wake` for each event from now on, and at the end; the events are in the buffer.

        It is not called before this returns: the caller takes the events that wait already.
        """

    def detach(self) -> None:
        """End the subscription."""


def event_source_of(source: object) -> EventSource | None:
    """The source itself, where it can push."""
    return cast("EventSource", source) if hasattr(source, "attach") else None


class FrameSink(Protocol):
    """A socket that takes finished WebSocket frames: ASGI extension `SINK_EXTENSION`.

    The unsent bytes of the socket are bounded: once `is_full`, a writer waits, or leaves it to
    `drained` to be called.
    """

    @property
    def is_full(self) -> bool:
        """Whether nothing should be written now; always true once the socket is closed."""

    @property
    def full_since(self) -> float | None:
        """The loop's time at which it became full; None while it is not."""

    def write(self, frame: bytes) -> None:
        """Send a frame; one that comes after the close is dropped."""

    def write_pieces(self, pieces: Sequence[bytes]) -> None:
        """Send a frame that is given in pieces, without copying them."""

    def charge(self, memory: ConnectionMemory, overflow: Callable[[], None]) -> None:
        """Charge what the client sends and is not read yet; without memory for it, call `overflow`."""

    def on_drained(self, call: Callable[[], None]) -> None:
        """Call this whenever a full socket takes frames again."""

    async def room(self) -> None:
        """Wait until it is not full, or closed."""


SINK_EXTENSION = "transport.websocket.frames"
