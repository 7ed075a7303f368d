"""A probe of pub/sub latency: a message that the process sends to itself."""

import asyncio
import contextlib
import time
from collections.abc import Callable

from domain.errors import Unavailable
from pubsub.channels import Channels
from pubsub.keys import probe_channel

_INTERVAL_SECONDS = 2.0
_TIMEOUT_SECONDS = 5.0


class PubSubLatencyProbe:
    """Measures the time from publishing a message until the same process receives it.

    Args:
        process: the name of the process, which no other has.
        record: receives each measurement, in seconds.
    """

    def __init__(self, channels: Channels, process: str, record: Callable[[float], None]) -> None:
        self._channels = channels
        self._channel = probe_channel(process)
        self._record = record

    async def run(self) -> None:
        """Measure every two seconds until cancelled; a message that does not arrive in 5 s counts as 5 s."""
        while True:
            with contextlib.suppress(Unavailable):
                async with self._channels.subscribe(self._channel) as mailbox:
                    while True:
                        began = time.perf_counter()
                        await self._channels.publish(self._channel, "probe")
                        await mailbox.wait(_TIMEOUT_SECONDS)
                        self._record(time.perf_counter() - began)
                        await asyncio.sleep(_INTERVAL_SECONDS)
            await asyncio.sleep(_INTERVAL_SECONDS)
