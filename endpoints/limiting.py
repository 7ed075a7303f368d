"""Rate limits as the transport asks for them: before operations, documents and connections."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from domain.viewer import Viewer
from services.identity.rate_limits import BudgetExceeded, CostBudget, RateLimiter
from transport import Allowance, ConnectionInfo, Meters, Operation, RateLimited

CONNECTION_COST = 100
"""The cost of opening a WebSocket or a reserved event stream: some milliseconds and 30 kB."""


class Caller(Protocol):
    """The context of one operation."""

    @property
    def viewer(self) -> Viewer | None:
        """The user; None for an anonymous caller."""

    @property
    def address(self) -> str:
        """The client's address."""


class RequestLimiter:
    """Charges the budgets of callers; each method raises RateLimited where one is spent."""

    def __init__(self, limiter: RateLimiter, meters: Meters) -> None:
        self._limiter = limiter
        self._meters = meters

    async def admit(self, caller: Caller, _operation: Operation, cost: int) -> Allowance | None:
        """Charge an operation and return the remaining budget."""
        left = await self._spend(caller.viewer, caller.address, 1, cost)
        return Allowance(left.budget, left.remaining, left.reset_seconds) if left else None

    async def charge(self, caller: Caller, requests: int, cost: int) -> None:
        """Charge something that is no operation."""
        await self._spend(caller.viewer, caller.address, requests, cost)

    def check(self, caller: Caller, cost: int) -> None:
        """Charge nothing, but refuse where it is known here that an operation of this cost does not fit."""
        if self._limiter.limited:
            with self._refusals():
                self._limiter.check(caller.viewer, caller.address, cost)

    async def open_connection(self, info: ConnectionInfo) -> None:
        """Charge a connection, whose user is not known yet, to its network."""
        with self._refusals():
            await self._limiter.spend_of_network(info.client or "", CONNECTION_COST)

    def network(self, info: ConnectionInfo) -> str | None:
        """The network whose connections count together; None where they do not count."""
        return self._limiter.network(info.client or "") or None

    async def _spend(
        self, viewer: Viewer | None, address: str, requests: int, cost: int
    ) -> CostBudget | None:
        if not self._limiter.limited:
            return None
        with self._refusals():
            return await self._limiter.spend(viewer, address, cost, requests=requests)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except BudgetExceeded as error:
            self._meters.limited(error.limit)
            raise RateLimited(error.message, retry_after_seconds=error.retry_after_seconds) from error
