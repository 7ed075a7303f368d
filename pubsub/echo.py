"""How long a message takes through Redis, measured on messages of our own."""

import asyncio
import contextlib
import time
from collections.abc import Callable

from domain.errors import Unavailable
from pubsub.channels import Channels

_PAUSE_SECONDS = 2.0
_PATIENCE_SECONDS = 5.0


class Echo:
    """Calls into the channels and listens for what comes back."""

    def __init__(self, channels: Channels, name: str, heard: Callable[[float], None]) -> None:
        self._channels = channels
        self._channel = f"bo:echo:{name}"
        self._heard = heard

    async def keep_calling(self) -> None:
        """Until cancelled. What does not come back within 5 s counts as 5 s."""
        while True:
            with contextlib.suppress(Unavailable):
                async with self._channels.subscribe(self._channel) as mailbox:
                    while True:
                        began = time.perf_counter()
                        await self._channels.publish(self._channel, "echo")
                        await mailbox.wait(_PATIENCE_SECONDS)
                        self._heard(time.perf_counter() - began)
                        await asyncio.sleep(_PAUSE_SECONDS)
            await asyncio.sleep(_PAUSE_SECONDS)
