"""Budgets for each minute: what an account has spent, counted over all processes."""

import time
from dataclasses import dataclass

from redis.exceptions import RedisError

from kit.lua import CommandRunner
from pubsub.keys import spent_key
from pubsub.outcomes import Outcome
from pubsub.scripts import SCRIPTS

WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Spending:
    """The budget of an account after a request to spend."""

    fits: bool
    remaining: int
    reset_seconds: int


class Budgets:
    """One budget for each account and minute. While Redis does not answer there is no limit: sales go on."""

    def __init__(self, runner: CommandRunner) -> None:
        self._runner = runner

    async def spend(self, account: str, amount: int, budget: int) -> Spending:
        """Take an amount out of this minute's budget, where it fits."""
        window, passed = divmod(int(time.time()), WINDOW_SECONDS)
        arguments = [amount, budget, 2 * WINDOW_SECONDS]
        try:
            code, spent = await SCRIPTS["spend"](self._runner, [spent_key(account, window)], arguments)
            fits = Outcome(code.decode()) is Outcome.SPENT
        except (RedisError, OSError, TimeoutError):
            fits, spent = True, amount
        return Spending(fits, max(budget - int(spent), 0), WINDOW_SECONDS - passed)
