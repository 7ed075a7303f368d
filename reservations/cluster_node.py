"""One primary of a Redis cluster: its connections, its batches, and the pause after it failed."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import TimeoutError as AnswerTimedOut

from kit.batcher import Batcher
from kit.lua import Argument, Command, CommandRunner

_MOST_IN_BATCH = 256
# While a node does not answer, its commands fail at once; one of them tries it after each pause.
PAUSE_SECONDS = 0.5
_TRIAL_SECONDS = 5.0
_FAILURES = (ConnectionLost, AnswerTimedOut, OSError, TimeoutError)

Send = Callable[[Redis, Sequence[Command]], Awaitable[list[Any]]]


class ClusterNode:
    """Sends the simultaneous commands of one node as one pipeline."""

    def __init__(self, client: Redis, send: Send, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.client = client
        self._send = send
        self._monotonic = monotonic
        self._commands = Batcher[tuple[Command, bool], Any](self._send_batch, max_batch=_MOST_IN_BATCH)
        self._resting_until = float("-inf")
        self._under_way = 0

    @property
    def is_idle(self) -> bool:
        """Whether no command is under way."""
        return self._under_way == 0

    async def run(self, *command: Argument, asking: bool = False) -> Any:
        """Return the command's answer.

        Args:
            asking: take the command although the slot is still on its way here.

        Raises:
            RedisError: The answer is an error, or the node is away.
        """
        self._under_way += 1
        try:
            return await self._commands.submit((command, asking))
        finally:
            self._under_way -= 1

    async def servers(self) -> Sequence[CommandRunner]:
        """Itself."""
        return [self]

    async def drain(self) -> None:
        """Wait for the commands under way."""
        await self._commands.drain()

    async def _send_batch(self, batch: Sequence[tuple[Command, bool]]) -> list[Any]:
        now = self._monotonic()
        if now < self._resting_until:
            raise ConnectionLost("this node of the cluster is away")
        if self._resting_until != float("-inf"):
            # Only this batch tries the node; the next ones fail at once until it has its answer.
            self._resting_until = now + _TRIAL_SECONDS
        commands = [each for command, asking in batch for each in _as_sent(command, asking=asking)]
        try:
            answers = await self._send(self.client, commands)
        except _FAILURES:
            self._resting_until = self._monotonic() + PAUSE_SECONDS
            raise
        self._resting_until = float("-inf")
        return _own_answers(batch, answers)


def _as_sent(command: Command, *, asking: bool) -> list[Command]:
    return [("ASKING",), command] if asking else [command]


def _own_answers(batch: Sequence[tuple[Command, bool]], answers: Sequence[Any]) -> list[Any]:
    """The answers without those to ASKING."""
    found, remaining = [], iter(answers)
    for _, asking in batch:
        if asking:
            next(remaining)
        found.append(next(remaining))
    return found
