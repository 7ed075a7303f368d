"""How much one person, one application and one address may ask for in a minute."""

import asyncio
from dataclasses import dataclass

from domain.errors import RateLimited
from domain.viewer import Viewer
from pubsub.budgets import Budgets, Spending


@dataclass(frozen=True, slots=True)
class Rates:
    """What a minute allows; 0 does not limit."""

    requests: int = 0
    """Operations of one person; of an address where nobody is signed in."""
    cost: int = 0
    """Cost of one person; of an address where nobody is signed in."""
    key_cost: int = 0
    """Cost of one application, of all its users together: the token's client_id or azp."""
    address_cost: int = 0
    """Cost of one address, of all its users together."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of the tightest cost budget, and when it is whole again."""

    budget: int
    remaining: int
    reset_seconds: int


class AllowanceSpent(RateLimited):
    """Too much within a minute; please wait a moment."""

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Allowances:
    """Counts every operation against each budget that it falls under."""

    def __init__(self, budgets: Budgets, rates: Rates) -> None:
        self._budgets = budgets
        self._rates = rates
        self.limited = rates != Rates()

    async def spend(self, viewer: Viewer | None, address: str, cost: int) -> Standing | None:
        """Pay for one operation; None where no budget limits cost.

        Raises:
            AllowanceSpent: a budget has not so much left. What others had was charged all the same.
        """
        if not self.limited:
            return None
        entries = self._entries(viewer, address, cost)
        spent = await asyncio.gather(*(self._budgets.spend(*entry) for entry in entries))
        for (who, amount, budget), spending in zip(entries, spent, strict=True):
            if not spending.fits:
                raise AllowanceSpent(_sentence(who, amount, budget, spending), spending.reset_seconds)
        standings = [
            Standing(budget, spending.remaining, spending.reset_seconds)
            for (who, _, budget), spending in zip(entries, spent, strict=True)
            if not who.startswith("requests:")
        ]
        return min(standings, key=lambda standing: standing.remaining, default=None)

    def _entries(self, viewer: Viewer | None, address: str, cost: int) -> list[tuple[str, int, int]]:
        rates = self._rates
        person = f"user:{viewer.user_id}" if viewer else f"address:{address}"
        key = viewer.client_id if viewer else None
        entries = [
            (f"requests:{person}", 1, rates.requests),
            (f"cost:{person}", cost, rates.cost),
            (f"cost:key:{key}", cost, rates.key_cost if key else 0),
            (f"cost:network:{address}", cost, rates.address_cost),
        ]
        return [entry for entry in entries if entry[2]]


def _sentence(who: str, amount: int, budget: int, spending: Spending) -> str:
    if who.startswith("requests:"):
        return f"More than {budget} requests within a minute."
    if amount > budget:
        return f"This costs {amount}, and a whole minute has {budget}: ask for less at a time."
    return f"This costs {amount}, and of this minute's {budget} {spending.remaining} are left."
