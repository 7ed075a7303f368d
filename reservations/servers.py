"""What the stores ask a server itself: its run, its slots, and the events that it has."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from redis.exceptions import RedisError

from domain.errors import Unavailable
from kit.lua import Argument, CommandRunner
from reservations.answers import info_from, own_slots_from
from reservations.keys import META_PATTERN

Answer = TypeVar("Answer")


async def answer_of(asked: Awaitable[Answer]) -> Answer:
    """The answer of Redis. Raises: Unavailable."""
    try:
        return await asked
    except (RedisError, OSError, TimeoutError) as error:
        raise Unavailable from error


async def state_of(server: CommandRunner) -> str:
    """The run of a server, and the slots of a cluster's primary."""
    info = info_from(await answer_of(server.run("INFO")))
    if info.get("cluster_enabled") != "1":
        return info["run_id"]
    nodes = await answer_of(server.run("CLUSTER", "NODES"))
    return f"{info['run_id']} {own_slots_from(nodes)}"


async def foreign_events(server: CommandRunner) -> list[str]:
    """The events on this server that another run has built."""
    run_id = info_from(await answer_of(server.run("INFO")))["run_id"]
    keys = await events_on(server)
    runs = await asyncio.gather(*(answer_of(server.run("HGET", key, "run")) for key in keys))
    return [key for key, run in zip(keys, runs, strict=True) if run is None or run.decode() != run_id]


async def events_on(server: CommandRunner) -> list[str]:
    """The keys `meta` of the events on this server; it looks at every key."""
    found: list[str] = []
    cursor: Argument = 0
    while True:
        cursor, keys = await answer_of(server.run("SCAN", cursor, "MATCH", META_PATTERN, "COUNT", 1000))
        found += (key.decode() for key in keys)
        if int(cursor) == 0:
            return found
