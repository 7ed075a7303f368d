"""Open subscriptions are counted over all processes, and a process that is gone is not counted."""

import asyncio
import contextlib

import orjson

from pubsub.keys import OPEN_STREAMS
from pubsub.open_streams import OpenStreams
from reservations.connection import batcher, connect_server


async def test_both_processes_show_the_same_sum_when_each_has_some(redis_url: str) -> None:
    client = connect_server(redis_url, 4)
    one, other = OpenStreams(batcher(client)), OpenStreams(batcher(client))
    tasks = [asyncio.create_task(streams.keep_publishing()) for streams in (one, other)]
    await client.hset(OPEN_STREAMS, "dead", orjson.dumps({"at": 0, "open": {"websocket": 90}}))

    one.change("websocket", 2)
    other.change("websocket", 3)
    other.change("sse", 1)
    other.change("websocket", -1)

    async with asyncio.timeout(5):
        while await one.totals() != await other.totals():
            await asyncio.sleep(0.02)
    assert dict(await one.totals()) == {"websocket": 4, "sse": 1}
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await client.aclose()
