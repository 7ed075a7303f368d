"""Subscribers that join and leave one channel: each gets every message, and no subscription remains."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from pubsub.channels import Channels, Mailbox
from pubsub.redis_backend import RedisBackend
from reservations.connection import connect_server


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[Redis, Channels]]:
    client = connect_server(url, 10)
    channels = Channels(RedisBackend(client))
    await channels.open()
    yield client, channels
    await channels.close()
    await client.aclose()


async def test_everybody_hears_when_some_come_while_the_last_one_leaves(redis_url: str) -> None:
    boxes: dict[str, Mailbox] = {}
    async with opened(redis_url) as (client, channels):

        async def listen(name: str) -> None:
            async with channels.subscribe("c") as mailbox:
                boxes[name] = mailbox
                await asyncio.Event().wait()

        async def last() -> None:
            async with channels.subscribe("c"):
                pass

        leaving = asyncio.create_task(last())
        while not (lock := channels._locks.get("c")) or "c" not in channels._mailboxes:
            await asyncio.sleep(0)
        while not lock.locked():
            await asyncio.sleep(0)
        waiting = asyncio.create_task(listen("waiting"))
        await leaving
        late = asyncio.create_task(listen("late"))
        async with asyncio.timeout(10):
            while len(boxes) < 2:
                await asyncio.sleep(0.001)
            await client.spublish("c", "news")
            received = {name: await mailbox.get() for name, mailbox in boxes.items()}
        for task in (waiting, late):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    assert received == {"waiting": "news", "late": "news"}


async def test_nothing_is_left_when_a_listener_is_cancelled_while_it_subscribes(redis_url: str) -> None:
    async with opened(redis_url) as (client, channels), channels.subscribe("kept"):

        async def listen(number: int) -> None:
            async with channels.subscribe(f"gone {number}"):
                await asyncio.Event().wait()

        for turns in range(1, 12):
            task = asyncio.create_task(listen(turns))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task], timeout=10)
            assert task.cancelled()
        async with asyncio.timeout(10):
            while await client.pubsub_shardchannels("gone*"):
                await asyncio.sleep(0.01)
