"""Budgets for each minute: of one person, one application and one network."""

import asyncio
from dataclasses import astuple, dataclass
from typing import NamedTuple

from domain.errors import RateLimited
from domain.viewer import Viewer
from kit.networks import counted_network
from pubsub.budgets import Budgets, Spending


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The budgets of one minute; 0 does not limit.

    Callers who are not signed in count for their network: against its own budget where there is one.
    """

    requests: int = 0
    """Operations of one person."""
    cost: int = 0
    """Cost of one person."""
    key_cost: int = 0
    """Cost of one application, for all its users: the token's client_id or azp."""
    network_requests: int = 0
    """Operations of one network, for all its users."""
    network_cost: int = 0
    """Cost of one network, for all its users."""


@dataclass(frozen=True, slots=True)
class CostBudget:
    """The rest of the tightest cost budget, and the seconds until it is whole again."""

    budget: int
    remaining: int
    reset_seconds: int


class BudgetExceeded(RateLimited):
    """Too much within a minute; please wait a moment."""

    def __init__(self, message: str, limit: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.limit = limit
        """The budget that is spent: requests, cost, application_cost, network_requests or network_cost"""
        self.retry_after_seconds = retry_after_seconds


class _Entry(NamedTuple):
    """An amount on one account."""

    limit: str
    account: str
    amount: int
    budget: int

    @property
    def counts_requests(self) -> bool:
        return self.limit.endswith("requests")


class RateLimiter:
    """Counts every operation against each budget that it falls under.

    Args:
        private_networks: Whether private addresses are networks with a budget. Where proxies are not
            declared, a private address is a proxy's, with everyone behind it.
    """

    def __init__(self, budgets: Budgets, limits: RateLimits, *, private_networks: bool = True) -> None:
        self._budgets = budgets
        self._limits = limits
        self._private_networks = private_networks
        self.limited = any(astuple(limits))

    def network(self, address: str) -> str:
        """The network that an address counts for; UNKNOWN where it does not count."""
        return counted_network(address, private_networks=self._private_networks)

    async def spend(
        self, viewer: Viewer | None, address: str, cost: int, *, requests: int = 1
    ) -> CostBudget | None:
        """Pay for one operation; None where no budget limits cost.

        Raises:
            BudgetExceeded: a budget has not so much left. What others had was charged all the same.
        """
        return await self._pay(self._entries(viewer, address, cost, requests))

    def check(self, viewer: Viewer | None, address: str, cost: int) -> None:
        """Charge nothing, but raise where this process knows that an operation of this cost does not fit.

        Raises:
            BudgetExceeded: a budget has not so much left.
        """
        for entry in self._entries(viewer, address, cost, 1):
            if entry.budget and entry.amount:
                foreseen = self._budgets.foresee(*entry[1:])
                if not foreseen.fits:
                    raise BudgetExceeded(_sentence(entry, foreseen), entry.limit, foreseen.reset_seconds)

    async def spend_of_network(self, address: str, cost: int) -> None:
        """Pay for a connection, whose user is not known yet. Raises: BudgetExceeded."""
        await self._pay(self._of_network(self.network(address), cost, 1))

    async def _pay(self, wanted: list[_Entry]) -> CostBudget | None:
        entries = [entry for entry in wanted if entry.budget and entry.amount]
        if not entries:
            return None
        spent = await asyncio.gather(*(self._budgets.spend(*entry[1:]) for entry in entries))
        for entry, spending in zip(entries, spent, strict=True):
            if not spending.fits:
                raise BudgetExceeded(_sentence(entry, spending), entry.limit, spending.reset_seconds)
        budgets = [
            CostBudget(entry.budget, spending.remaining, spending.reset_seconds)
            for entry, spending in zip(entries, spent, strict=True)
            if not entry.counts_requests
        ]
        return min(budgets, key=lambda left: left.remaining, default=None)

    def _entries(self, viewer: Viewer | None, address: str, cost: int, requests: int) -> list[_Entry]:
        network = self.network(address)
        if viewer is not None:
            entries = self._of_user(viewer, cost, requests)
        else:
            entries = self._of_anonymous(network, cost, requests)
        return entries + self._of_network(network, cost, requests)

    def _of_network(self, network: str, cost: int, requests: int) -> list[_Entry]:
        limits = self._limits
        if not network:
            return []
        return [
            _Entry("network_requests", f"requests:network:{network}", requests, limits.network_requests),
            _Entry("network_cost", f"cost:network:{network}", cost, limits.network_cost),
        ]

    def _of_user(self, viewer: Viewer, cost: int, requests: int) -> list[_Entry]:
        limits, user, key = self._limits, f"user:{viewer.user_id}", viewer.client_id
        return [
            _Entry("requests", f"requests:{user}", requests, limits.requests),
            _Entry("cost", f"cost:{user}", cost, limits.cost),
            _Entry("application_cost", f"cost:key:{key}", cost, limits.key_cost if key else 0),
        ]

    def _of_anonymous(self, network: str, cost: int, requests: int) -> list[_Entry]:
        limits = self._limits
        if not network:
            return []
        most_requests = 0 if limits.network_requests else limits.requests
        most_cost = 0 if limits.network_cost else limits.cost
        return [
            _Entry("requests", f"requests:anonymous:{network}", requests, most_requests),
            _Entry("cost", f"cost:anonymous:{network}", cost, most_cost),
        ]


def _sentence(entry: _Entry, spending: Spending) -> str:
    if entry.counts_requests:
        return f"More than {entry.budget} requests within a minute."
    if entry.amount > entry.budget:
        return f"This costs {entry.amount}, and a whole minute has {entry.budget}: ask for less at a time."
    left = spending.remaining
    return f"This costs {entry.amount}, and of this minute's {entry.budget} {left} are left."
