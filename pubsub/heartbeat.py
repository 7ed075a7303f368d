"""Whether a worker is at work, as the API processes can see it."""

from redis.exceptions import RedisError

from domain.errors import Unavailable
from kit.lua import CommandRunner

WORKER_KEY = "bo:worker"
"""String: 1 while a worker has been at work within the last seconds. Owner: `Heartbeat`."""

_LIFETIME_SECONDS = 6


class Heartbeat:
    """Set by every worker, looked for by /readyz."""

    def __init__(self, runner: CommandRunner) -> None:
        self._runner = runner

    async def beat(self) -> int:
        """Say that a worker is at work."""
        await self._runner.run("SET", WORKER_KEY, 1, "EX", _LIFETIME_SECONDS)
        return 0

    async def check(self) -> None:
        """Raises: Unavailable: no worker was at work within the last seconds."""
        try:
            alive = await self._runner.run("EXISTS", WORKER_KEY)
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable from error
        if not alive:
            raise Unavailable("No worker is at work.")
