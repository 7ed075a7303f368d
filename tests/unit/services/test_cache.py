"""The cache of sales: what was being loaded when something changed is not kept."""

import asyncio

from services.context import Cache


async def test_what_was_written_is_read_when_an_older_read_was_on_its_way() -> None:
    rows, gate = {"event": "before"}, asyncio.Event()

    async def load(key: str) -> str:
        found = rows[key]
        await gate.wait()
        return found

    cache = Cache(load, most=10, max_age_seconds=60.0)
    earlier = asyncio.create_task(cache.get("event"))
    await asyncio.sleep(0.01)
    rows["event"] = "after"
    cache.forget("event")
    own = asyncio.create_task(cache.get("event"))
    await asyncio.sleep(0.01)
    gate.set()

    assert (await earlier, await own, await cache.get("event")) == ("before", "after", "after")
