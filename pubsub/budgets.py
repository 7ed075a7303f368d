"""What somebody has spent this minute, counted over all processes."""

import time
from dataclasses import dataclass
from pathlib import Path

from redis.exceptions import RedisError

from kit.lua import CommandRunner, LuaScript

WINDOW_SECONDS = 60
_SPEND = LuaScript.load(Path(__file__).parent / "lua" / "spend.lua")


def spent_key(who: str, window: int) -> str:
    """Integer: what one payer has spent within one minute. Lifetime: two minutes. Owner: `Budgets`."""
    return f"bo:spent:{who}:{window}"


@dataclass(frozen=True, slots=True)
class Spending:
    """How a payer stands after an amount was asked for."""

    fits: bool
    remaining: int
    reset_seconds: int


class Budgets:
    """A budget a payer and minute. While Redis is away nobody is counted: a sale outranks a limit."""

    def __init__(self, runner: CommandRunner) -> None:
        self._runner = runner

    async def spend(self, who: str, amount: int, budget: int) -> Spending:
        """Take an amount out of this minute's budget, where it fits."""
        window, passed = divmod(int(time.time()), WINDOW_SECONDS)
        key = spent_key(who, window)
        try:
            outcome, spent = await _SPEND(self._runner, [key], [amount, budget, 2 * WINDOW_SECONDS])
        except (RedisError, OSError, TimeoutError):
            outcome, spent = b"OK", amount
        return Spending(outcome == b"OK", max(budget - int(spent), 0), WINDOW_SECONDS - passed)
