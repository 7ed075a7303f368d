"""The budgets of one minute: of a person, of an application and of an address."""

import asyncio
from dataclasses import dataclass

from domain.errors import RateLimited
from domain.viewer import Viewer
from pubsub.budgets import Budgets, Spending


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The budgets of one minute; 0 does not limit."""

    requests: int = 0
    """Operations of one person, or of one address without a token"""
    cost: int = 0
    """Cost of one person, or of one address without a token"""
    key_cost: int = 0
    """Cost of one application with all its users: the token's client_id or azp"""
    address_cost: int = 0
    """Cost of one address with all its users"""


@dataclass(frozen=True, slots=True)
class CostBudget:
    """The rest of the tightest cost budget, and the seconds until it is whole again."""

    budget: int
    remaining: int
    reset_seconds: int


class BudgetExceeded(RateLimited):
    """Too much within a minute; please wait a moment."""

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class RateLimiter:
    """Counts every operation against each budget that applies to it."""

    def __init__(self, budgets: Budgets, limits: RateLimits) -> None:
        self._budgets = budgets
        self._limits = limits
        self.limited = limits != RateLimits()

    async def spend(self, viewer: Viewer | None, address: str, cost: int) -> CostBudget | None:
        """Charge one operation and return the tightest cost budget; None where no budget limits cost.

        Raises:
            BudgetExceeded: A budget has too little left. The other budgets were charged all the same.
        """
        if not self.limited:
            return None
        entries = self._entries(viewer, address, cost)
        spent = await asyncio.gather(*(self._budgets.spend(*entry) for entry in entries))
        for (name, amount, budget), spending in zip(entries, spent, strict=True):
            if not spending.fits:
                raise BudgetExceeded(_sentence(name, amount, budget, spending), spending.reset_seconds)
        budgets = [
            CostBudget(budget, spending.remaining, spending.reset_seconds)
            for (name, _, budget), spending in zip(entries, spent, strict=True)
            if not name.startswith("requests:")
        ]
        return min(budgets, key=lambda left: left.remaining, default=None)

    def _entries(self, viewer: Viewer | None, address: str, cost: int) -> list[tuple[str, int, int]]:
        limits = self._limits
        person = f"user:{viewer.user_id}" if viewer else f"address:{address}"
        key = viewer.client_id if viewer else None
        entries = [
            (f"requests:{person}", 1, limits.requests),
            (f"cost:{person}", cost, limits.cost),
            (f"cost:key:{key}", cost, limits.key_cost if key else 0),
            (f"cost:network:{address}", cost, limits.address_cost),
        ]
        return [entry for entry in entries if entry[2]]


def _sentence(name: str, amount: int, budget: int, spending: Spending) -> str:
    if name.startswith("requests:"):
        return f"More than {budget} requests within a minute."
    if amount > budget:
        return f"This costs {amount}, and a whole minute has {budget}: ask for less at a time."
    return f"This costs {amount}, and of this minute's {budget} {spending.remaining} are left."
