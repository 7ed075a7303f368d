"""The channels as the transport's message bus: bytes in, bytes out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pubsub.channels import Channels, Mailbox

# Channels carry text; sealed messages are any bytes, and every byte is a character of Latin-1.
_ANY_BYTES = "latin-1"


class ChannelBus:
    """Carries the messages of event streams that are held at another process."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def publish(self, channel: str, message: bytes) -> None:
        """Send to every subscriber of the channel."""
        await self._channels.publish(f"bo:stream:{channel}", message.decode(_ANY_BYTES))

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Receive from the moment the context is entered until it is left."""
        async with self._channels.subscribe(f"bo:stream:{channel}") as mailbox:
            yield _messages(mailbox)


async def _messages(mailbox: Mailbox) -> AsyncIterator[bytes]:
    while True:
        message = await mailbox.get()
        if message is not None:
            yield message.encode(_ANY_BYTES, "replace")
