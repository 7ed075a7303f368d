"""A heartbeat in Redis: whether any worker runs, for the readiness of API processes."""

from redis.exceptions import RedisError

from domain.errors import Unavailable
from kit.lua import CommandRunner
from pubsub.keys import WORKER

_LIFETIME_SECONDS = 6


class Heartbeat:
    """Every worker writes it, /readyz reads it."""

    def __init__(self, runner: CommandRunner) -> None:
        self._runner = runner

    async def beat(self) -> int:
        """Write the heartbeat of a worker; returns 0, the number of things it found to do."""
        await self._runner.run("SET", WORKER, 1, "EX", _LIFETIME_SECONDS)
        return 0

    async def check(self) -> None:
        """Raises: Unavailable: no worker wrote a heartbeat within 6 s."""
        try:
            alive = await self._runner.run("EXISTS", WORKER)
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable from error
        if not alive:
            raise Unavailable("No worker is at work.")
