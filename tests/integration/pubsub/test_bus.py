"""What one process seals for another arrives as it was, whatever its bytes are."""

import asyncio
from typing import Any, cast

from redis.asyncio import Redis

from pubsub.bus import ChannelBus
from pubsub.channels import Channels
from pubsub.redis_backend import RedisBackend
from reservations.connection import connect_server


async def test_every_byte_arrives_when_a_message_is_no_text(redis_url: str) -> None:
    client = connect_server(redis_url, 10)
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


async def test_messages_arrive_again_when_the_reader_met_a_fault_that_nobody_knows(redis_url: str) -> None:
    client = connect_server(redis_url, 10)
    stumbles = iter([RuntimeError("of a library")])

    class Stumbling:
        spublish = client.spublish
        connection_pool: Any

        def make_connection(self) -> Any:
            for fault in stumbles:
                raise fault
            return client.connection_pool.make_connection()  # type: ignore[no-untyped-call]

    Stumbling.connection_pool = Stumbling()

    channels = Channels(RedisBackend(cast(Redis, Stumbling())))
    await channels.open()

    async with channels.subscribe("news") as mailbox:
        await channels.publish("news", "heard")
        async with asyncio.timeout(5):
            received = await mailbox.get()

    await channels.close()
    await client.aclose()
    assert list(stumbles) == []
    assert received == "heard"
