"""The events whose places have changed lately, so that nobody has to look through all of them.

The list is kept in a few sorted sets near the events' own keys: on a cluster it spreads over the nodes. It is
a hint. What it lacks is found later, by the rotation through all events that PostgreSQL knows
as built.
"""

import asyncio
from uuid import UUID

from redis.exceptions import RedisError

from domain.errors import Unavailable
from kit.cache import Cache
from kit.clock import Clock, milliseconds, utc_now
from kit.lua import CommandRunner
from reservations.keys import CHANGED_LISTS, changed_list_of

TOUCH_SECONDS = 5.0
"""A process lists an event at most once in this time."""
_TOUCHED = 4_096
_AWAY = (RedisError, OSError, TimeoutError)


class ChangedEvents:
    """The list. A change is listed beside the request, which neither waits for it nor fails with it."""

    def __init__(self, runner: CommandRunner, clock: Clock = utc_now) -> None:
        self._runner = runner
        self._clock = clock
        self._touched: Cache[UUID, bool] = Cache(max_entries=_TOUCHED, ttl_seconds=TOUCH_SECONDS)
        self._tasks: set[asyncio.Task[None]] = set()

    def touch(self, event_id: UUID) -> None:
        """List the event as changed now."""
        if event_id in self._touched:
            return
        self._touched.put(event_id, True)
        task = asyncio.create_task(self._list(event_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _list(self, event_id: UUID) -> None:
        now_ms = milliseconds(self._clock())
        try:
            await self._runner.run("ZADD", changed_list_of(event_id), "GT", now_ms, event_id.bytes)
        except _AWAY:
            self._touched.evict(event_id)

    async def since(self, time_ms: int) -> list[UUID]:
        """The events that were listed at this time (Unix milliseconds) or later, but for lists on dead nodes.

        Raises:
            Unavailable: No list can be read.
        """
        answers = await self._of_each("ZRANGE", f"{time_ms}", "+inf", "BYSCORE")
        return [UUID(bytes=bytes(member)) for members in answers for member in members]

    async def forget_before(self, time_ms: int) -> None:
        """Drop the events that were listed before this time (Unix milliseconds).

        Raises:
            Unavailable: No list can be changed.
        """
        await self._of_each("ZREMRANGEBYSCORE", "-inf", f"({time_ms}")

    async def _of_each(self, command: str, *arguments: str) -> list[list[bytes]]:
        asked = (self._runner.run(command, key, *arguments) for key in CHANGED_LISTS)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        found = [answer for answer in answers if not isinstance(answer, BaseException)]
        for failure in answers:
            if isinstance(failure, BaseException) and (not found or not isinstance(failure, _AWAY)):
                raise Unavailable from failure
        return found
