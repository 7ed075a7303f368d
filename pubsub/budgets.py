"""Budgets for each minute: what an account has spent, counted over all processes."""

import time
from dataclasses import dataclass

from redis.exceptions import RedisError

from kit.cache import Cache
from kit.lua import CommandRunner
from pubsub.keys import spent_key
from pubsub.outcomes import Outcome
from pubsub.scripts import SCRIPTS

WINDOW_SECONDS = 60
ADVANCE_PARTS = 100
"""A process takes one part in so many of a budget at once, so that it asks Redis once for many requests."""
MOST_ACCOUNTS = 65_536
RETRY_SECONDS = 1.0
"""How long a process counts alone after Redis did not answer, before it asks again."""


@dataclass(frozen=True, slots=True)
class Spending:
    """The budget of an account after a request to spend."""

    fits: bool
    remaining: int
    reset_seconds: int


@dataclass(slots=True)
class _Count:
    """What this process knows of an account."""

    spent: int = 0
    """By all processes, as far as is known here; the advance is part of it."""
    advance: int = 0
    """Taken from the budget and not used yet."""


class Budgets:
    """One budget for each account and minute.

    While Redis does not answer, each process counts for itself, from the last figures that it knows on.
    """

    def __init__(self, runner: CommandRunner) -> None:
        self._runner = runner
        self._counts: Cache[str, _Count] = Cache(max_entries=MOST_ACCOUNTS)
        self._alone_until = 0.0

    async def spend(self, account: str, amount: int, budget: int) -> Spending:
        """Take an amount out of this minute's budget, where it fits."""
        window, passed = divmod(int(time.time()), WINDOW_SECONDS)
        key = spent_key(account, window)
        count = self._counts.get(key)
        if count is None:
            count = _Count()
            self._counts.put(key, count)
        fits = await self._take(key, count, amount, budget)
        return Spending(fits, max(budget - count.spent + count.advance, 0), WINDOW_SECONDS - passed)

    def foresee(self, account: str, amount: int, budget: int) -> Spending:
        """What `spend` would answer, as far as this process knows, without taking anything."""
        window, passed = divmod(int(time.time()), WINDOW_SECONDS)
        count = self._counts.get(spent_key(account, window)) or _Count()
        left = max(budget - count.spent + count.advance, 0)
        return Spending(amount <= left, left, WINDOW_SECONDS - passed)

    async def _take(self, key: str, count: _Count, amount: int, budget: int) -> bool:
        in_hand = min(count.advance, amount)
        count.advance -= in_hand
        missing = amount - in_hand
        if not missing or await self._obtain(key, count, missing, budget):
            return True
        count.advance += in_hand
        return False

    async def _obtain(self, key: str, count: _Count, amount: int, budget: int) -> bool:
        if count.spent + amount > budget:  # it only grows within its minute: a flood does not reach Redis
            return False
        if time.monotonic() < self._alone_until:
            return self._count_alone(count, amount, budget)
        extra = budget // ADVANCE_PARTS if count.spent else 0
        try:
            if extra and await self._ask(key, count, amount + extra, budget):
                count.advance += extra
                return True
            return await self._ask(key, count, amount, budget)
        except (RedisError, OSError, TimeoutError):
            self._alone_until = time.monotonic() + RETRY_SECONDS
            return self._count_alone(count, amount, budget)

    async def _ask(self, key: str, count: _Count, amount: int, budget: int) -> bool:
        code, spent = await SCRIPTS["spend"](self._runner, [key], [amount, budget, 2 * WINDOW_SECONDS])
        count.spent = int(spent)
        return Outcome(code.decode()) is Outcome.SPENT

    @staticmethod
    def _count_alone(count: _Count, amount: int, budget: int) -> bool:
        if count.spent + amount > budget:
            return False
        count.spent += amount
        return True
