"""The parts of a running local Stripe, put together once, and the loop that keeps them moving."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from devservices.stripe import transitions
from devservices.stripe.books import Books
from devservices.stripe.calls import Call
from devservices.stripe.deliveries import Courier
from devservices.stripe.desk import Desk
from devservices.stripe.faults import Faults
from devservices.stripe.store import Store

log = logging.getLogger("devservices.stripe")

LONGEST_NAP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How this local Stripe is set up."""

    public_url: str
    webhook_url: str | None
    webhook_secret: str
    api_key: str | None = None
    later_seconds: float = 1.0


class Workshop:
    """Store, faults, desk and courier of one local Stripe."""

    def __init__(
        self, store: Store, arrangement: Arrangement, clock: Callable[[], float] = time.time
    ) -> None:
        self.store = store
        self.arrangement = arrangement
        self.clock = clock
        self.faults = Faults(store)
        self.courier = Courier(store, arrangement.webhook_url, arrangement.webhook_secret, clock)
        self.desk = Desk(store, self.faults, self.books, self.wake)

    def books(self, call: Call | None = None) -> Books:
        """The books as they are now; events of a call name it."""
        return Books(
            self.store,
            self.faults,
            self.clock(),
            self.arrangement.public_url,
            self.arrangement.later_seconds,
            call.request_id if call else None,
            call.idempotency_key if call else None,
        )

    @contextmanager
    def at_work(self) -> Iterator[Books]:
        """One transaction outside the API."""
        with self.store.transaction():
            yield self.books()
        self.wake()

    def wake(self) -> None:
        """Tells the loop that something may be due."""
        self.courier.woken.set()

    async def run(self) -> None:
        """Carries out what is due, for ever."""
        while True:
            self.courier.woken.clear()
            try:
                with self.store.transaction():
                    transitions.run_due(self.books())
                self.courier.start_due()
            except Exception:
                log.exception("a background step failed")
                await asyncio.sleep(1)
            await self._nap()

    async def _nap(self) -> None:
        due = [one for one in (transitions.next_due(self.store), self.courier.next_due()) if one is not None]
        seconds = min([LONGEST_NAP_SECONDS, *(one - self.clock() for one in due)])
        try:
            await asyncio.wait_for(self.courier.woken.wait(), max(seconds, 0))
        except TimeoutError:
            return
