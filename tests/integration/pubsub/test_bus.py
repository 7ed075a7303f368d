"""What one process seals for another arrives as it was, whatever its bytes are."""

import asyncio

from pubsub.bus import ChannelBus
from pubsub.channels import Channels
from pubsub.redis_backend import RedisBackend
from reservations.connection import connect


async def test_every_byte_arrives_when_a_message_is_no_text(redis_url: str) -> None:
    client = connect(redis_url, 10)
    channels = Channels(RedisBackend(client))
    await channels.open()
    bus, sealed = ChannelBus(channels), bytes(range(256))

    async with bus.subscribe("stream") as messages:
        await bus.publish("stream", sealed)
        async with asyncio.timeout(5):
            received = await anext(messages)

    await channels.close()
    await client.aclose()
    assert received == sealed
