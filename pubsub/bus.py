"""The message bus of transport over the channels: bytes in, bytes out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pubsub.channels import Channels, Mailbox
from pubsub.keys import stream_channel

# Channels carry text; the messages are any bytes, and Latin-1 has a character for every byte.
_ANY_BYTES = "latin-1"


class ChannelBus:
    """Carries the messages of event streams that another process holds."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def publish(self, channel: str, message: bytes) -> None:
        """Send a message to every subscriber of the channel."""
        await self._channels.publish(stream_channel(channel), message.decode(_ANY_BYTES))

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Receive the messages of a channel while the context is open."""
        async with self._channels.subscribe(stream_channel(channel)) as mailbox:
            yield _messages(mailbox)


async def _messages(mailbox: Mailbox) -> AsyncIterator[bytes]:
    while True:
        message = await mailbox.get()
        if message is not None:
            yield message.encode(_ANY_BYTES, "replace")
